import CircuitBreaker from 'opossum';
import { AppError } from '#libs/errors';
import { steadyNow } from '#libs/runtime';
import type { FailureClass } from './callee-error.ts';
import { createOverride, type BreakerOverride, type BreakerPlace, type OverrideControl } from './breaker-override.ts';

export type BreakerState = 'closed' | 'half_open' | 'open';

export interface BreakerOptions {
  /** Calls within the window before the breaker may open; at least 10. */
  volumeThreshold: number;
  /** It opens when more than this share of the calls within the window failed. */
  errorThresholdPercentage: number;
  windowMs: number;
  /** How long it stays open before one call is let through as a probe. */
  resetTimeoutMs: number;
  /** Calls in flight; more are refused, so that a slow callee cannot use up this process. */
  maxInFlight: number;
}

export const breakerDefaults: BreakerOptions = {
  volumeThreshold: 10,
  errorThresholdPercentage: 50,
  windowMs: 10_000,
  resetTimeoutMs: 2000,
  maxInFlight: 100,
};

/** The error of an attempt. By its class the breaker distinguishes faults of the callee from its answers. */
export class FailedAttempt extends Error {
  override readonly name = 'FailedAttempt';
  readonly error: AppError;
  readonly failureClass: FailureClass;

  constructor(error: AppError, failureClass: FailureClass) {
    super(error.message, { cause: error });
    this.error = error;
    this.failureClass = failureClass;
  }
}

/** Stops calling a method of a callee that keeps failing. */
export interface Breaker {
  readonly state: BreakerState;
  readonly options: BreakerOptions;
  /** The figures now, or under the given override (null: none). They count calls of the current window. */
  look(override?: BreakerOverride | null): BreakerFigures;
  readonly override: OverrideControl;
  /** Runs an attempt, which rejects with FailedAttempt only. Throws its AppError, or CIRCUIT_OPEN at once. */
  run<T>(attempt: () => Promise<T>): Promise<T>;
  close(): void;
}

export interface BreakerFigures {
  state: BreakerState;
  answered: number;
  failed: number;
  refused: number;
  inFlight: number;
  /** By `steadyNow`; undefined while the state has never changed. */
  changedAt: number | undefined;
  /** When the next call is let through as a probe; undefined unless it is open by itself. */
  probeAt: number | undefined;
}

type Circuit = CircuitBreaker<[() => Promise<unknown>], unknown>;

/** opossum counts errors that `errorFilter` accepts as successes, and a success closes a half-open breaker. */
function createCircuit(options: BreakerOptions): Circuit {
  const isNoFault = (error: unknown): boolean => {
    const failureClass = error instanceof FailedAttempt ? error.failureClass : 'fault';
    // An inconclusive failure is ignored while closed, but must not close a half-open breaker.
    return failureClass === 'answered' || (failureClass === 'inconclusive' && !circuit.halfOpen);
  };
  const circuit: Circuit = new CircuitBreaker((attempt) => attempt(), {
    // Every call has its own gRPC deadline. opossum's abort controller would end all calls together.
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

/** Returns a function that reports a change of state: metric, log line, `onChange`. */
function createReporter({ callee, method, logger, metrics, onChange }: BreakerPlace): (state: BreakerState) => void {
  const gauge = metrics.gauge('grpc_client_breaker_state', 'Breaker: 0 closed, 1 half open, 2 open.', [
    'callee',
    'method',
  ]);
  gauge.set({ callee, method }, gaugeValues.closed);
  return (state) => {
    gauge.set({ callee, method }, gaugeValues[state]);
    logger[state === 'open' ? 'warn' : 'info']({ callee, method, state }, 'breaker changed');
    onChange?.();
  };
}

// The end of a running probe cannot be predicted.
const minRetryAfterMs = 100;

function circuitOpen(callee: string, until: number): AppError {
  return new AppError('unavailable', 'CIRCUIT_OPEN', `${callee} is not available at the moment`, {
    details: { retryAfterMs: Math.max(minRetryAfterMs, until - steadyNow()), metadata: { service: callee } },
  });
}

function tooManyInFlight(callee: string): AppError {
  return new AppError('resource_exhausted', 'OVERLOADED', `too many calls of ${callee} are under way`, {
    details: { retryAfterMs: 1000, metadata: { service: callee } },
  });
}

/** The error for the caller. */
function explain(error: unknown, callee: string, probeAt: number): unknown {
  if (error instanceof FailedAttempt) return error.error;
  return error instanceof Error && CircuitBreaker.isOurError(error) ? circuitOpen(callee, probeAt) : error;
}

export function createBreaker(place: BreakerPlace, overrides: Partial<BreakerOptions> = {}): Breaker {
  const options = { ...breakerDefaults, ...overrides };
  const circuit = createCircuit(options);
  let [probeAt, inFlight] = [0, 0];
  let changedAt: number | undefined;
  const override = createOverride(place);
  const report = createReporter(place);
  const change = (): void => {
    changedAt = steadyNow();
    if (circuit.opened) probeAt = changedAt + options.resetTimeoutMs;
    report(stateOf(circuit));
  };
  circuit.on('open', change).on('halfOpen', change).on('close', change);

  const fire = (attempt: () => Promise<unknown>): Promise<unknown> => {
    const overridden = override.current();
    if (overridden === undefined) return circuit.fire(attempt);
    if (overridden.state === 'open') throw circuitOpen(place.callee, overridden.until);
    return attempt();
  };
  const run = async <T>(attempt: () => Promise<T>): Promise<T> => {
    if (inFlight >= options.maxInFlight) throw tooManyInFlight(place.callee);
    inFlight += 1;
    try {
      return (await fire(attempt)) as T;
    } catch (error) {
      throw explain(error, place.callee, probeAt);
    } finally {
      inFlight -= 1;
    }
  };
  const look = (given: BreakerOverride | null = override.current() ?? null): BreakerFigures => {
    const { successes, failures, rejects } = circuit.status.stats;
    return {
      state: given?.state ?? stateOf(circuit),
      answered: successes,
      failed: failures,
      refused: rejects,
      inFlight,
      changedAt,
      probeAt: circuit.opened && given === null ? probeAt : undefined,
    };
  };
  return {
    get state() {
      return override.current()?.state ?? stateOf(circuit);
    },
    options,
    look,
    override,
    run,
    close: () => {
      override.close();
      circuit.shutdown();
      place.onClose?.();
    },
  };
}
