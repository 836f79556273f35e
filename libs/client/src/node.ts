import type { SecureClientSessionOptions } from 'node:http2';
import { createGrpcTransport, Http2SessionManager } from '@connectrpc/connect-node';
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

export type NodeOptions = Addresses & ConnectionOptions & { tls?: TlsOptions };

/** As the services bound messages. */
const readMaxBytes = 4 * 1024 * 1024;
/** A connection that says nothing for so long while a call waits is asked whether it is alive. */
const pings = { pingIntervalMs: 60_000, pingTimeoutMs: 10_000 };

function createPlatform(tls: TlsOptions | undefined): Platform {
  const managers: Http2SessionManager[] = [];
  return {
    open: (baseUrl) => {
      const sessionManager = new Http2SessionManager(baseUrl, pings, tls);
      managers.push(sessionManager);
      return createGrpcTransport({ baseUrl, sessionManager, readMaxBytes });
    },
    close: () => managers.forEach((manager) => manager.abort()),
  };
}

/** Over gRPC, without credentials. */
export function connect({ tls, ...options }: NodeOptions): Connection {
  return createConnection(createPlatform(tls), options, options);
}

/** Over gRPC, with all services. */
export function createTaskFlow(options: NodeOptions & { credentials: { personalToken: string } }): TaskFlow<undefined>;
export function createTaskFlow(options: NodeOptions & { credentials?: SessionOptions }): TaskFlow<Session>;
export function createTaskFlow(options: NodeOptions & { credentials: TaskFlowCredentials }): TaskFlow;
export function createTaskFlow({ credentials = {}, ...options }: NodeOptions & { credentials?: TaskFlowCredentials }) {
  return openTaskFlow(connect(options), credentials);
}
