import { createConnectTransport } from '@connectrpc/connect-web';
import { createConnection, type Addresses, type Connection, type ConnectionOptions } from './connection.ts';
import type { Session, SessionOptions } from './session.ts';
import { openTaskFlow, type TaskFlow, type TaskFlowCredentials } from './taskflow.ts';

export type WebOptions = Addresses & ConnectionOptions;

/** Over Connect by `fetch`, without credentials. */
export function connect(options: WebOptions): Connection {
  const open = (baseUrl: string) => createConnectTransport({ baseUrl });
  return createConnection({ open, close: () => undefined }, options, options);
}

/** Over Connect by `fetch`, with all services. */
export function createTaskFlow(options: WebOptions & { credentials: { personalToken: string } }): TaskFlow<undefined>;
export function createTaskFlow(options: WebOptions & { credentials?: SessionOptions }): TaskFlow<Session>;
export function createTaskFlow(options: WebOptions & { credentials: TaskFlowCredentials }): TaskFlow;
export function createTaskFlow({ credentials = {}, ...options }: WebOptions & { credentials?: TaskFlowCredentials }) {
  return openTaskFlow(connect(options), credentials);
}
