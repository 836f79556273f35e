import { InternalUsersServiceService, type BatchGetUsersResponse } from '#contract/users/v1/users';
import type { ServiceName } from '#libs/contract';
import { AppError } from '#libs/errors';
import { createMetrics, type CallContext, type Metrics } from '#libs/runtime';
import {
  breakersOf,
  createClient,
  type BreakerState,
  type CallOptions,
  type ClientOptions,
  type ServiceClient,
} from '../src/index.ts';
import { identityOf, recordingLogger, startTestServer, type LogLine } from './cluster.ts';
import { internalUsersBinding } from './services.ts';

type UsersClient = ServiceClient<typeof InternalUsersServiceService>;

/** A users service whose answer to BatchGetUsers a test can set. */
export interface Callee {
  address: string;
  answer: (call: CallContext) => Promise<Partial<BatchGetUsersResponse>>;
  /** The number of calls of the handler. */
  calls: number;
  stop(): Promise<void>;
}

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
  /** Of the breaker of BatchGetUsers, or of another method. */
  state(method?: string): BreakerState;
  ask(options?: CallOptions): Promise<BatchGetUsersResponse>;
  /** The error of a call that must fail. */
  fail(options?: CallOptions): Promise<AppError>;
}

export function openCaller(
  address: string,
  breaker: ClientOptions['breaker'] = {},
  service: ServiceName = 'tasks',
): Caller {
  const { logger, lines } = recordingLogger();
  const metrics = createMetrics(service);
  const opened = createClient(InternalUsersServiceService, {
    callee: 'users',
    address,
    identity: identityOf(service),
    logger,
    metrics,
    breaker,
  });
  const ask = (options?: CallOptions) => opened.client.batchGetUsers({ userIds: [] }, options);
  const fail = async (options?: CallOptions): Promise<AppError> => {
    const error = await ask(options).then(
      () => new Error('it succeeded'),
      (reason: unknown) => reason,
    );
    if (!(error instanceof AppError)) throw error;
    return error;
  };
  const state = (method = 'BatchGetUsers'): BreakerState =>
    breakersOf(metrics).find('users', `taskflow.users.v1.InternalUsersService/${method}`)?.breaker.state ?? 'closed';
  return { ...opened, lines, metrics, ask, fail, state };
}
