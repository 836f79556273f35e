import type { SecureClientSessionOptions } from 'node:http2';
import { Code, ConnectError, type Interceptor, type Transport } from '@connectrpc/connect';
import { createConnectTransport, createGrpcTransport, Http2SessionManager } from '@connectrpc/connect-node';
import {
  createConnection,
  type Addresses,
  type Connection,
  type ConnectionOptions,
  type Platform,
} from './connection.ts';
import type { Session, SessionOptions } from './session.ts';
import { openTaskFlow, type TaskFlow, type TaskFlowCredentials } from './taskflow.ts';

export { fileTokenStore } from './file-token-store.ts';

/** What TLS takes beside the authorities that Node knows. */
export type TlsOptions = Pick<SecureClientSessionOptions, 'ca' | 'cert' | 'key'>;

type TransportName = 'connect' | 'grpc';

export type NodeOptions = Addresses &
  ConnectionOptions & {
    /** For addresses with https:. */
    tls?: TlsOptions;
    /**
     * What the other side speaks: services gRPC, the gateway Connect. By default Connect with `address`, gRPC with
     * `addresses`. A proxy that passes gRPC on for all services is an `address` with 'grpc'.
     */
    transport?: TransportName;
  };

/** As the services bound messages. */
const readMaxBytes = 4 * 1024 * 1024;
/** A connection that says nothing for so long while a call waits is asked whether it is alive. */
const pings = { pingIntervalMs: 60_000, pingTimeoutMs: 10_000 };

/** A server that does not speak the protocol answers HTTP 415, which does not say what to do. */
const explain =
  (hint: string): Interceptor =>
  (next) =>
  async (request) => {
    try {
      return await next(request);
    } catch (error) {
      if (!(error instanceof ConnectError) || error.rawMessage !== 'HTTP 415') throw error;
      throw new ConnectError(`${hint} (HTTP 415)`, Code.Unimplemented, error.metadata, [], error);
    }
  };

const hints: Record<TransportName, string> = {
  connect: "the other side does not speak Connect, as the gateway does; for services say transport: 'grpc'",
  grpc: "the other side does not speak gRPC, as services do; for the gateway say transport: 'connect'",
};

interface TransportOptions {
  baseUrl: string;
  sessionManager: Http2SessionManager;
}

function openTransport(name: TransportName, options: TransportOptions): Transport {
  const all = { ...options, readMaxBytes, interceptors: [explain(hints[name])] };
  return name === 'grpc' ? createGrpcTransport(all) : createConnectTransport({ ...all, httpVersion: '2' });
}

function createPlatform(name: TransportName, tls: TlsOptions | undefined): Platform {
  const managers = new Map<string, Http2SessionManager>();
  return {
    open: (baseUrl) => {
      const { origin } = new URL(baseUrl);
      const sessionManager = managers.get(origin) ?? new Http2SessionManager(origin, pings, tls);
      managers.set(origin, sessionManager);
      return openTransport(name, { baseUrl, sessionManager });
    },
    close: () => managers.forEach((manager) => manager.abort()),
  };
}

/** Over HTTP/2, without credentials. */
export function connect({ tls, transport, ...options }: NodeOptions): Connection {
  const name = transport ?? ('address' in options ? 'connect' : 'grpc');
  return createConnection(createPlatform(name, tls), options, options);
}

/** Over HTTP/2, with all services. */
export function createTaskFlow(options: NodeOptions & { credentials: { personalToken: string } }): TaskFlow<undefined>;
export function createTaskFlow(options: NodeOptions & { credentials?: SessionOptions }): TaskFlow<Session>;
export function createTaskFlow(options: NodeOptions & { credentials: TaskFlowCredentials }): TaskFlow;
export function createTaskFlow({ credentials = {}, ...options }: NodeOptions & { credentials?: TaskFlowCredentials }) {
  return openTaskFlow(connect(options), credentials);
}
