import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { InternalUsersServiceService, type BatchGetUsersResponse } from '#contract/users/v1/users';
import type { ServiceName } from '#libs/contract';
import { AppError } from '#libs/errors';
import { createMetrics, type CallContext, type Metrics } from '#libs/runtime';
import { createClient, type BreakerState, type ClientOptions, type ServiceClient } from '../src/index.ts';
import { identityOf, recordingLogger, startTestServer, type LogLine } from './cluster.ts';
import { internalUsersBinding } from './services.ts';

type UsersClient = ServiceClient<typeof InternalUsersServiceService>;

/** A users service whose answer to BatchGetUsers a test decides. */
export interface Callee {
  address: string;
  answer: (call: CallContext) => Promise<Partial<BatchGetUsersResponse>>;
  /** How often the handler was entered. */
  calls: number;
  stop(): Promise<void>;
}

/** On a free port unless one is given. */
export async function startCallee(port = 0): Promise<Callee> {
  const binding = internalUsersBinding({
    batchGetUsers: async (_request, call) => {
      callee.calls += 1;
      return { users: [], unknownUserIds: [], ...(await callee.answer(call)) };
    },
  });
  const { server, address } = await startTestServer({ bindings: [binding], port });
  const callee: Callee = { address, calls: 0, answer: async () => ({}), stop: () => server.stop() };
  return callee;
}

export interface Caller extends UsersClient {
  lines: LogLine[];
  metrics: Metrics;
  /** Of BatchGetUsers. */
  state(): BreakerState;
  ask(options?: { timeoutMs?: number }): Promise<BatchGetUsersResponse>;
  /** How a call failed: kind and reason. */
  fail(options?: { timeoutMs?: number }): Promise<AppError>;
}

export function openCaller(address: string, breaker: ClientOptions['breaker'] = {}, service: ServiceName = 'tasks'): Caller {
  const { logger, lines } = recordingLogger();
  const metrics = createMetrics(service);
  const opened = createClient(InternalUsersServiceService, { callee: 'users', address, identity: identityOf(service), logger, metrics, breaker });
  const ask = (options?: { timeoutMs?: number }) => opened.client.batchGetUsers({ userIds: [] }, options);
  const fail = async (options?: { timeoutMs?: number }): Promise<AppError> => {
    const error = await ask(options).then(
      () => new Error('it succeeded'),
      (reason: unknown) => reason,
    );
    if (!(error instanceof AppError)) throw error;
    return error;
  };
  const state = (): BreakerState => opened.breakers().find(({ method }) => method === 'batchGetUsers')?.state ?? 'closed';
  return { ...opened, lines, metrics, ask, fail, state };
}

/** A TCP proxy that counts connections. */
export async function startProxy(target: string): Promise<{ address: string; connections: () => number; stop(): void }> {
  const sockets = new Set<Socket>();
  let connections = 0;
  const port = Number(target.split(':').at(-1));
  const server = createServer((inbound) => {
    connections += 1;
    const outbound = connect(port, '127.0.0.1');
    for (const socket of [inbound, outbound]) sockets.add(socket.on('error', () => undefined));
    inbound.pipe(outbound).pipe(inbound);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const stop = (): void => {
    server.close();
    for (const socket of sockets) socket.destroy();
  };
  return { address: `127.0.0.1:${(server.address() as AddressInfo).port}`, connections: () => connections, stop };
}
