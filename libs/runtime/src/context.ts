import { AsyncLocalStorage } from 'node:async_hooks';
import { randomUUID } from 'node:crypto';
import { steadyNow } from './clock.ts';
import type { Logger } from './logger.ts';
import type { ActiveSpan } from './telemetry/span.ts';
import { newTraceParent, traceIdOf } from './telemetry/trace-parent.ts';
import { timerMs } from './timer.ts';

export interface UserActor {
  kind: 'user';
  userId: string;
  role: 'user' | 'admin';
  /** The id of the token in its place when a personal token came. */
  sessionId: string;
  /** Present when a personal token came instead of a session's access token. */
  token?: { id: string; scopes: readonly string[] };
  /** The token has ended, perhaps by the very call that this one repeats: it is good for the recorded answer only. */
  ended?: true;
}
export interface ServiceActor {
  kind: 'service';
  service: 'auth' | 'users' | 'tasks' | 'scheduler';
}
export type Actor = UserActor | ServiceActor | { kind: 'anonymous' };

/** Facts about the call, job or loop that the running code works for. */
export interface CallContext {
  /** The tracing id: the metadata x-request-id. */
  requestId: string;
  /** The path of the RPC, or the name of the job or loop. */
  method: string;
  /** When the answer is due, on the clock of `steadyNow`. */
  deadline: number;
  /** Fires when the caller gave up or the deadline passed. */
  signal: AbortSignal;
  actor: Actor;
  /** The address of the client; empty for background work. */
  peer: string;
  userAgent: string;
  /** W3C traceparent, which all work for the call continues. */
  traceParent: string;
  /** Absent when the call's trace is not recorded. */
  span?: ActiveSpan | undefined;
  logger: Logger;
}

const contexts = new AsyncLocalStorage<CallContext | undefined>();

/** Without a context the work belongs to no call. */
export function runWithContext<T>(context: CallContext | undefined, fn: () => Promise<T>): Promise<T> {
  return contexts.run(context, fn);
}

export function currentContext(): CallContext | undefined {
  return contexts.getStore();
}

/** Milliseconds until the deadline of the running call, never negative; Infinity outside of any call. */
export function remainingMs(): number {
  const context = contexts.getStore();
  return context === undefined ? Infinity : Math.max(0, context.deadline - steadyNow());
}

export function newRequestId(): string {
  return randomUUID();
}

export interface BackgroundOptions {
  /** The name in logs and the method: "overdue-sweep". */
  name: string;
  logger: Logger;
  timeoutMs: number;
  /** The call that caused the work, if any. */
  requestId?: string;
  traceParent?: string;
  /** Ends the work early, for instance at shutdown. */
  signal?: AbortSignal;
}

/** Runs work that no call waits for in a context of its own, so that all of it has a deadline and an id. */
export function runInBackground<T>(options: BackgroundOptions, fn: (context: CallContext) => Promise<T>): Promise<T> {
  const timeout = AbortSignal.timeout(timerMs(options.timeoutMs));
  const requestId = options.requestId ?? newRequestId();
  const traceParent = options.traceParent ?? newTraceParent();
  const context: CallContext = {
    requestId,
    method: options.name,
    deadline: steadyNow() + options.timeoutMs,
    signal: options.signal === undefined ? timeout : AbortSignal.any([timeout, options.signal]),
    actor: { kind: 'anonymous' },
    peer: '',
    userAgent: '',
    traceParent,
    logger: options.logger.child({ requestId, traceId: traceIdOf(traceParent), method: options.name }),
  };
  return contexts.run(context, () => fn(context));
}
