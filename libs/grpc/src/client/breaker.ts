import CircuitBreaker from 'opossum';
import { AppError } from '#libs/errors';
import type { Logger, Metrics } from '#libs/runtime';
import type { Verdict } from './callee-error.ts';
import { createForcing, type ForcingControl } from './forcing.ts';

export type BreakerState = 'closed' | 'half_open' | 'open';

export interface BreakerOptions {
  /** Calls within the window before the breaker may open; at least 10. */
  volumeThreshold: number;
  /** It opens when more than this share of the calls within the window failed. */
  errorThresholdPercentage: number;
  windowMs: number;
  /** How long it stays open before one call is let through as a probe. */
  resetTimeoutMs: number;
  /** Calls that may be under way at the same time; more are refused, so that a slow callee cannot take all there is. */
  maxInFlight: number;
}

export const breakerDefaults: BreakerOptions = { volumeThreshold: 10, errorThresholdPercentage: 50, windowMs: 10_000, resetTimeoutMs: 2000, maxInFlight: 100 };

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
  readonly options: BreakerOptions;
  /** How it stands; the counts are of the current window. */
  look(): BreakerFigures;
  /** Decides in the place of the breaker until the time is over. */
  readonly forcing: ForcingControl;
  /** Runs the attempt, which rejects with FailedAttempt only. Throws its AppError, or UNAVAILABLE / CIRCUIT_OPEN at once. */
  run<T>(attempt: () => Promise<T>): Promise<T>;
  close(): void;
}

export interface BreakerFigures {
  answered: number;
  failed: number;
  refused: number;
  inFlight: number;
  /** Milliseconds since 1970; undefined while the state has never changed. */
  changedAt: number | undefined;
  /** When the next call is let through as a probe; undefined unless it is open by itself. */
  probeAt: number | undefined;
}

export interface BreakerPlace {
  callee: string;
  /** "taskflow.users.v1.InternalUsersService/BatchGetUsers" */
  method: string;
  logger: Logger;
  metrics: Metrics;
  /** Told of every change of the state or of the forcing. */
  onChange?: () => void;
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
function report(circuit: Circuit, { callee, method, logger, metrics, onChange }: BreakerPlace): void {
  const gauge = metrics.gauge('grpc_client_breaker_state', 'Breaker: 0 closed, 1 half open, 2 open.', ['callee', 'method']);
  const enter = (state: BreakerState): void => {
    gauge.set({ callee, method }, gaugeValues[state]);
    logger[state === 'open' ? 'warn' : 'info']({ callee, method, state }, 'breaker changed');
    onChange?.();
  };
  gauge.set({ callee, method }, gaugeValues.closed);
  circuit.on('open', () => enter('open'));
  circuit.on('halfOpen', () => enter('half_open'));
  circuit.on('close', () => enter('closed'));
}

function circuitOpen(callee: string, retryAfterMs: number): AppError {
  return new AppError('unavailable', 'CIRCUIT_OPEN', `${callee} is not available at the moment`, { details: { retryAfterMs } });
}

function tooManyInFlight(callee: string): AppError {
  return new AppError('resource_exhausted', 'OVERLOADED', `too many calls of ${callee} are under way`, { details: { retryAfterMs: 1000 } });
}

// While a probe is under way there is no telling when it ends.
const minRetryAfterMs = 100;

export function createBreaker(place: BreakerPlace, overrides: Partial<BreakerOptions> = {}): Breaker {
  const options = { ...breakerDefaults, ...overrides };
  const circuit = createCircuit(options);
  let probeAt = 0;
  let changedAt: number | undefined;
  let inFlight = 0;
  circuit.on('open', () => void (probeAt = Date.now() + options.resetTimeoutMs));
  const change = (): void => void (changedAt = Date.now());
  circuit.on('open', change).on('halfOpen', change).on('close', change);
  const forcing = createForcing(place);
  report(circuit, place);

  const explain = (error: unknown): unknown => {
    if (error instanceof FailedAttempt) return error.error;
    const rejected = error instanceof Error && CircuitBreaker.isOurError(error);
    return rejected ? circuitOpen(place.callee, Math.max(minRetryAfterMs, probeAt - Date.now())) : error;
  };
  /** What an administrator decided holds; without it the breaker decides. */
  const fire = (attempt: () => Promise<unknown>): Promise<unknown> => {
    const forced = forcing.current();
    if (forced === undefined) return circuit.fire(attempt);
    if (forced.state === 'open') throw circuitOpen(place.callee, Math.max(minRetryAfterMs, forced.until - Date.now()));
    return attempt();
  };
  const run = async <T>(attempt: () => Promise<T>): Promise<T> => {
    if (inFlight >= options.maxInFlight) throw tooManyInFlight(place.callee);
    inFlight += 1;
    try {
      return (await fire(attempt)) as T;
    } catch (error) {
      throw explain(error);
    } finally {
      inFlight -= 1;
    }
  };
  const look = (): BreakerFigures => {
    const { successes, failures, rejects } = circuit.status.stats;
    const isOpen = circuit.opened && forcing.current() === undefined;
    return { answered: successes, failed: failures, refused: rejects, inFlight, changedAt, probeAt: isOpen ? probeAt : undefined };
  };
  return {
    get state() {
      return forcing.current()?.state ?? stateOf(circuit);
    },
    options,
    look,
    forcing,
    run,
    close: () => {
      forcing.close();
      circuit.shutdown();
    },
  };
}
