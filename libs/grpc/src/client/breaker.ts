import CircuitBreaker from 'opossum';
import { AppError } from '#libs/errors';
import type { Logger, Metrics } from '#libs/runtime';
import type { Verdict } from './callee-error.ts';

export type BreakerState = 'closed' | 'half_open' | 'open';

export interface BreakerOptions {
  /** Calls within the window before the breaker may open; at least 10. */
  volumeThreshold: number;
  /** It opens when more than this share of the calls within the window failed. */
  errorThresholdPercentage: number;
  windowMs: number;
  /** How long it stays open before one call is let through as a probe. */
  resetTimeoutMs: number;
}

export const breakerDefaults: BreakerOptions = { volumeThreshold: 10, errorThresholdPercentage: 50, windowMs: 10_000, resetTimeoutMs: 2000 };

/** What an attempt rejects with, so that the breaker can tell faults of the callee from its answers. */
export class FailedAttempt extends Error {
  override readonly name = 'FailedAttempt';
  readonly error: AppError;
  readonly verdict: Verdict;

  constructor(error: AppError, verdict: Verdict) {
    super(error.message, { cause: error });
    this.error = error;
    this.verdict = verdict;
  }
}

/** Stops calling a method of a callee that keeps failing. */
export interface Breaker {
  readonly state: BreakerState;
  /** Runs the attempt, which rejects with FailedAttempt only. Throws its AppError, or UNAVAILABLE / CIRCUIT_OPEN at once. */
  run<T>(attempt: () => Promise<T>): Promise<T>;
  close(): void;
}

export interface BreakerPlace {
  callee: string;
  /** "taskflow.users.v1.InternalUsersService/BatchGetUsers" */
  method: string;
  logger: Logger;
  metrics: Metrics;
}

type Circuit = CircuitBreaker<[() => Promise<unknown>], unknown>;

/** On success opossum closes a half-open breaker, and errors that its filter lets pass count as success. */
function createCircuit(options: BreakerOptions): Circuit {
  const isNoFault = (error: unknown): boolean => {
    const verdict = error instanceof FailedAttempt ? error.verdict : 'fault';
    // What says nothing does no harm to a closed breaker, but must not pass for a proof of health at half-open.
    return verdict === 'answered' || (verdict === 'nothing' && !circuit.halfOpen);
  };
  const circuit: Circuit = new CircuitBreaker((attempt) => attempt(), {
    // Every call has a gRPC deadline of its own; opossum's timeout and its shared abort controller stay out of use.
    timeout: false,
    volumeThreshold: Math.max(10, options.volumeThreshold),
    errorThresholdPercentage: options.errorThresholdPercentage,
    rollingCountTimeout: options.windowMs,
    resetTimeout: options.resetTimeoutMs,
    rollingPercentilesEnabled: false,
    enableSnapshots: false,
    errorFilter: isNoFault,
  });
  return circuit;
}

function stateOf(circuit: Circuit): BreakerState {
  if (circuit.opened) return 'open';
  return circuit.halfOpen ? 'half_open' : 'closed';
}

const gaugeValues: Record<BreakerState, number> = { closed: 0, half_open: 1, open: 2 };

/** Keeps the metric at the breaker's state and writes a log line at every change. */
function report(circuit: Circuit, { callee, method, logger, metrics }: BreakerPlace): void {
  const gauge = metrics.gauge('grpc_client_breaker_state', 'Breaker: 0 closed, 1 half open, 2 open.', ['callee', 'method']);
  const enter = (state: BreakerState): void => {
    gauge.set({ callee, method }, gaugeValues[state]);
    logger[state === 'open' ? 'warn' : 'info']({ callee, method, state }, 'breaker changed');
  };
  gauge.set({ callee, method }, gaugeValues.closed);
  circuit.on('open', () => enter('open'));
  circuit.on('halfOpen', () => enter('half_open'));
  circuit.on('close', () => enter('closed'));
}

function circuitOpen(callee: string, retryAfterMs: number): AppError {
  return new AppError('unavailable', 'CIRCUIT_OPEN', `${callee} is not available at the moment`, { details: { retryAfterMs } });
}

// While a probe is under way there is no telling when it ends.
const minRetryAfterMs = 100;

export function createBreaker(place: BreakerPlace, overrides: Partial<BreakerOptions> = {}): Breaker {
  const options = { ...breakerDefaults, ...overrides };
  const circuit = createCircuit(options);
  let probeAt = 0;
  circuit.on('open', () => void (probeAt = Date.now() + options.resetTimeoutMs));
  report(circuit, place);

  const explain = (error: unknown): unknown => {
    if (error instanceof FailedAttempt) return error.error;
    const rejected = error instanceof Error && CircuitBreaker.isOurError(error);
    return rejected ? circuitOpen(place.callee, Math.max(minRetryAfterMs, probeAt - Date.now())) : error;
  };
  return {
    get state() {
      return stateOf(circuit);
    },
    run: async <T>(attempt: () => Promise<T>): Promise<T> => {
      try {
        return (await circuit.fire(attempt)) as T;
      } catch (error) {
        throw explain(error);
      }
    },
    close: () => circuit.shutdown(),
  };
}
