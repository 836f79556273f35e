import { setTimeout as pause } from 'node:timers/promises';
import type { ErrorKind } from '#libs/errors';
import { CallError } from '#libs/grpc';
import type { Attempt } from './measures.ts';

/** What must never be, by the number of the invariant that it breaks. */
export interface Violation {
  invariant: number;
  what: string;
}

export interface CallerOptions {
  worker: number;
  attempts: Attempt[];
  violations: Violation[];
  /** Milliseconds since 1970: from then on a call that does not get through is a violation. */
  giveUpAt: () => number;
}

/** Thrown when a write could not be brought through; it has been reported. */
export class GivenUp extends Error {
  override readonly name = 'GivenUp';
}

/** One client: measures each attempt, sends again what may pass, reports what must not be. */
export interface Caller {
  /** Rejects with CallError. */
  once<T>(method: string, call: () => Promise<T>): Promise<T>;
  /** Repeats until it is answered; rejects with GivenUp, or with a CallError of a kind in `wanted`. */
  persist<T>(method: string, call: () => Promise<T>, wanted?: readonly ErrorKind[]): Promise<T>;
  violate(invariant: number, what: string): void;
}

const mayPass: ReadonlySet<ErrorKind> = new Set(['unavailable', 'deadline_exceeded', 'resource_exhausted', 'aborted']);
const neverKinds: ReadonlySet<ErrorKind> = new Set(['internal', 'unimplemented']);
/** The worker wants it to fail, or gives it too little time. */
const provoked = /\((hurried|wrong)\)$/;
const longestWaitMs = 1000;

export function outcomeOf(error: CallError): string {
  return error.reason === undefined ? error.kind.toUpperCase() : `${error.kind.toUpperCase()}/${error.reason}`;
}

export function createCaller({ worker, attempts, violations, giveUpAt }: CallerOptions): Caller {
  const violate = (invariant: number, what: string): void => void violations.push({ invariant, what: `worker ${worker}: ${what}` });

  /** Whatever happens to the cluster, an answer has a code and says when to come back. */
  const judge = (method: string, error: CallError): void => {
    if (neverKinds.has(error.kind)) violate(1, `${method} answered ${outcomeOf(error)} (${error.message}, request id ${error.callId ?? '?'})`);
    const isOfOurs = error.reason !== undefined && (error.kind === 'unavailable' || error.kind === 'resource_exhausted');
    if (isOfOurs && error.details.retryAfterMs === undefined) violate(3, `${method} answered ${outcomeOf(error)} without RetryInfo`);
  };

  /** Whatever else is not sent again: a call that never left the client is, as no server has a part in that. */
  const send = async <T>(call: () => Promise<T>): Promise<T> => {
    try {
      return await call();
    } catch (error) {
      if (error instanceof CallError && error.isUnsent) return send(call);
      throw error;
    }
  };

  const once: Caller['once'] = async (method, call) => {
    const startedAt = Date.now();
    const began = performance.now();
    const end = (outcome: string): void => {
      attempts.push({ startedAt, durationMs: performance.now() - began, method, outcome, provoked: provoked.test(method) });
    };
    try {
      const answer = await send(call);
      end('OK');
      return answer;
    } catch (error) {
      if (!(error instanceof CallError)) throw error;
      end(outcomeOf(error));
      judge(method, error);
      throw error;
    }
  };

  const persist: Caller['persist'] = async (method, call, wanted = []) => {
    for (let attempt = 0; ; attempt += 1) {
      try {
        return await once(method, call);
      } catch (error) {
        if (!(error instanceof CallError) || wanted.includes(error.kind)) throw error;
        if (!mayPass.has(error.kind) && !neverKinds.has(error.kind)) {
          violate(1, `${method} was answered ${outcomeOf(error)}: ${error.message}`);
          throw new GivenUp(method, { cause: error });
        }
        if (Date.now() > giveUpAt()) {
          violate(1, `${method} did not get through again: ${error.message}`);
          throw new GivenUp(method, { cause: error });
        }
        await pause(Math.min(error.details.retryAfterMs ?? 50 * 2 ** Math.min(attempt, 5), longestWaitMs));
      }
    }
  };
  return { once, persist, violate };
}
