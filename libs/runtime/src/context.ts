import { AsyncLocalStorage } from 'node:async_hooks';
import { randomUUID } from 'node:crypto';
import type { Logger } from './logger.ts';
import type { ActiveSpan } from './telemetry/span.ts';
import { newTraceParent, traceIdOf } from './telemetry/trace-parent.ts';

export interface UserActor {
  kind: 'user';
  userId: string;
  role: 'user' | 'admin';
  sessionId: string;
}
export interface ServiceActor {
  kind: 'service';
  service: 'auth' | 'users' | 'tasks' | 'scheduler';
}
export type Actor = UserActor | ServiceActor | { kind: 'anonymous' };

/** What is true of the call, job or loop that the running code works for. */
export interface CallContext {
  /** The tracing id: the metadata x-request-id. */
  callId: string;
  /** The path of the RPC, or the name of the job or loop. */
  method: string;
  /** When the answer is due: milliseconds since 1970. */
  deadline: number;
  /** Fires when the caller gave up or the deadline passed. */
  signal: AbortSignal;
  actor: Actor;
  /** The address of the client; empty for background work. */
  peer: string;
  userAgent: string;
  /** W3C traceparent: what everything that is done for the call continues. */
  traceParent: string;
  /** Absent when the call's trace is not recorded. */
  span?: ActiveSpan | undefined;
  logger: Logger;
}

const contexts = new AsyncLocalStorage<CallContext>();

export function runWithContext<T>(context: CallContext, fn: () => Promise<T>): Promise<T> {
  return contexts.run(context, fn);
}

export function currentContext(): CallContext | undefined {
  return contexts.getStore();
}

/** Milliseconds until the deadline of the running call, never negative; Infinity outside of any call. */
export function remainingMs(): number {
  const context = contexts.getStore();
  return context === undefined ? Infinity : Math.max(0, context.deadline - Date.now());
}

export function newCallId(): string {
  return randomUUID();
}

export interface BackgroundOptions {
  /** For logs and as the method: "overdue-sweep". */
  name: string;
  logger: Logger;
  timeoutMs: number;
  /** The call that caused this work, when there is one. */
  callId?: string;
  traceParent?: string;
  /** Ends the work early, for instance at shutdown. */
  signal?: AbortSignal;
}

/** Runs work that no call waits for in a context of its own, so that everything it does has a deadline and an id. */
export function runInBackground<T>(options: BackgroundOptions, fn: (context: CallContext) => Promise<T>): Promise<T> {
  const timeout = AbortSignal.timeout(options.timeoutMs);
  const callId = options.callId ?? newCallId();
  const traceParent = options.traceParent ?? newTraceParent();
  const context: CallContext = {
    callId,
    method: options.name,
    deadline: Date.now() + options.timeoutMs,
    signal: options.signal === undefined ? timeout : AbortSignal.any([timeout, options.signal]),
    actor: { kind: 'anonymous' },
    peer: '',
    userAgent: '',
    traceParent,
    logger: options.logger.child({ requestId: callId, traceId: traceIdOf(traceParent), method: options.name }),
  };
  return contexts.run(context, () => fn(context));
}
