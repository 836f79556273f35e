import type { ErrorKind } from '#libs/errors';
import { backoffMs, sleep } from '#libs/runtime';
import { CallError } from '#dev/stubs';
import { graceMs, isOverdue, type Attempt } from './measures.ts';
import type { StallMeter } from './stalls.ts';

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
  stalls: Pick<StallMeter, 'lostMs'>;
  /** Calls that are under way; each leaves by itself. */
  open: Set<Promise<unknown>>;
}

/** Calls are given up after this time, so that a frozen replica is noticed. */
export const attemptMs = 3000;

/** Thrown when a write could not be brought through; it has been reported. */
export class GivenUp extends Error {
  override readonly name = 'GivenUp';
}

/** One client: measures each attempt, sends again what may pass, reports what must not be. */
export interface Caller {
  /** Rejects with CallError. `grantedMs`: the deadline that the call sets; attemptMs when left out. */
  once<T>(method: string, call: () => Promise<T>, grantedMs?: number): Promise<T>;
  /** Repeats until it is answered; rejects with GivenUp, or with a CallError of a kind in `wanted`. */
  persist<T>(
    method: string,
    call: () => Promise<T>,
    options?: { wanted?: readonly ErrorKind[]; grantedMs?: number },
  ): Promise<T>;
  violate(invariant: number, what: string): void;
}

const mayPass: ReadonlySet<ErrorKind> = new Set(['unavailable', 'deadline_exceeded', 'resource_exhausted', 'aborted']);
const neverKinds: ReadonlySet<ErrorKind> = new Set(['internal', 'unimplemented']);
/** The worker wants it to fail, or gives it too little time. */
const provoked = /\((hurried|wrong)\)$/;
const longestWaitMs = 1000;
const backoff = { firstMs: 100, maxMs: longestWaitMs };

export function outcomeOf(error: CallError): string {
  return error.reason === undefined ? error.kind.toUpperCase() : `${error.kind.toUpperCase()}/${error.reason}`;
}

export function createCaller({ worker, attempts, violations, giveUpAt, stalls, open }: CallerOptions): Caller {
  const violate = (invariant: number, what: string): void =>
    void violations.push({ invariant, what: `worker ${worker}: ${what}` });

  /** Whatever happens to the cluster, an answer has a code and says when to come back. */
  const judge = (method: string, error: CallError): void => {
    if (neverKinds.has(error.kind))
      violate(1, `${method} answered ${outcomeOf(error)} (${error.message}, request id ${error.requestId ?? '?'})`);
    const isOfOurs =
      error.reason !== undefined && (error.kind === 'unavailable' || error.kind === 'resource_exhausted');
    if (isOfOurs && error.details.retryAfterMs === undefined)
      violate(3, `${method} answered ${outcomeOf(error)} without RetryInfo`);
  };

  const measure = async <T>(method: string, call: () => Promise<T>, grantedMs: number): Promise<T> => {
    const startedAt = Date.now();
    const began = performance.now();
    const end = (outcome: string): void => {
      const ended = performance.now();
      const stalledMs = stalls.lostMs(began, ended);
      const attempt = {
        startedAt,
        durationMs: ended - began,
        grantedMs,
        stalledMs,
        method,
        outcome,
        provoked: provoked.test(method),
      };
      attempts.push(attempt);
      if (!isOverdue(attempt)) return;
      const allowed = `${grantedMs} ms, ${graceMs} ms of grace and ${Math.round(stalledMs)} ms that this client stood still`;
      violate(3, `${method} (${outcome}) took ${Math.round(attempt.durationMs)} ms, with ${allowed}`);
    };
    try {
      const answer = await call();
      end('OK');
      return answer;
    } catch (error) {
      if (!(error instanceof CallError)) throw error;
      // A call that never left the client is no answer of a server's: it is sent again, whatever else is not.
      if (error.isUnsent) return measure(method, call, grantedMs);
      end(outcomeOf(error));
      judge(method, error);
      throw error;
    }
  };

  const once: Caller['once'] = async (method, call, grantedMs = attemptMs) => {
    const answer = measure(method, call, grantedMs);
    open.add(answer);
    try {
      return await answer;
    } finally {
      open.delete(answer);
    }
  };

  const persist: Caller['persist'] = async (method, call, options) => {
    const { wanted, grantedMs } = { wanted: [] as readonly ErrorKind[], grantedMs: attemptMs, ...options };
    for (let attempt = 0; ; attempt += 1) {
      try {
        return await once(method, call, grantedMs);
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
        await sleep(Math.min(error.details.retryAfterMs ?? backoffMs(backoff, attempt + 1), longestWaitMs));
      }
    }
  };
  return { once, persist, violate };
}
