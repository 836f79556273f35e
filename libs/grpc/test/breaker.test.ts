import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { AppError } from '#libs/errors';
import { runInBackground } from '#libs/runtime';
import { breakersOf, type BreakerState } from '../src/index.ts';
import { openCaller, startCallee, type Callee, type Caller } from './callee.ts';
import { recordingLogger } from './cluster.ts';
import { waitUntil } from '#dev/cluster';

const { logger } = recordingLogger();
/** So short that a test can wait for the probe. */
const resetTimeoutMs = 150;
/** So long that no breaker lets a probe through during a test, even on a slow machine. */
const longResetTimeoutMs = 600_000;
let callee: Callee;
let caller: Caller;

beforeAll(async () => {
  callee = await startCallee();
  // The first calls are slow, and on a busy machine twenty at once exceed their deadline, which counts as a fault.
  const first = openCaller(callee.address);
  await waitUntil(() => first.ask().then(Boolean, () => false));
  first.close();
});
afterAll(() => callee.stop());
beforeEach(() => {
  callee.calls = 0;
  callee.answer = async () => ({});
  caller = openCaller(callee.address, { resetTimeoutMs: longResetTimeoutMs });
});
afterEach(() => caller.close());

const failing = (kind: AppError['kind'], reason: AppError['reason']) => async () =>
  Promise.reject(new AppError(kind, reason, 'failed'));
const times = <T>(count: number, fn: () => Promise<T>): Promise<T[]> => Promise.all(Array.from({ length: count }, fn));

const untilState = (state: BreakerState): Promise<boolean> => waitUntil(() => caller.state() === state);
const inBackground = (signal?: AbortSignal, timeoutMs = 5000) =>
  runInBackground({ name: 'test', logger, timeoutMs, signal }, () => caller.fail());
const reasonsOf = (errors: AppError[]): Set<string> => new Set(errors.map(({ reason }) => reason));
const never = (): Promise<never> => new Promise(() => undefined);

async function openIt(): Promise<void> {
  callee.answer = failing('unavailable', 'DATABASE_UNAVAILABLE');
  await times(20, () => caller.fail());
}

/** Opens a breaker that soon lets a probe through. */
async function openItUntilProbed(): Promise<void> {
  caller.close();
  caller = openCaller(callee.address, { resetTimeoutMs });
  callee.answer = failing('unavailable', 'DATABASE_UNAVAILABLE');
  // One by one, because a failure after the breaker has opened could count as that of the probe.
  while (caller.state() === 'closed') await caller.fail();
}

describe('invariant 4: the breaker stays closed', () => {
  it.each([
    [10_000, 'NOT_FOUND', failing('not_found', 'USER_NOT_FOUND')],
    [1000, 'INVALID_ARGUMENT', failing('invalid_argument', 'INVALID_FIELD')],
    [1000, 'PERMISSION_DENIED', failing('permission_denied', 'NOT_OWNER')],
    [1000, 'rate limits', failing('resource_exhausted', 'RATE_LIMITED')],
  ])('after %s × %s', async (count, _name, answer) => {
    callee.answer = answer;
    // Few at a time: on a busy machine many would exceed their deadlines, which counts as a fault.
    const atOnce = 20;
    for (let round = 0; round < count / atOnce; round++) await times(atOnce, () => caller.fail());
    expect([caller.state(), callee.calls]).toEqual(['closed', count]);
  });

  it('after calls that their callers cancelled', async () => {
    callee.answer = never;
    const controller = new AbortController();
    const failed = times(50, () => inBackground(controller.signal));
    await waitUntil(() => callee.calls === 50);
    controller.abort();
    expect(reasonsOf(await failed)).toEqual(new Set(['CANCELLED']));
    expect(caller.state()).toBe('closed');
  });

  it('after silence within a deadline that is shorter than that of the contract', async () => {
    callee.answer = never;
    const failed = await times(30, () => inBackground(undefined, 200));
    expect(new Set(failed.map((error) => error.kind))).toEqual(new Set(['deadline_exceeded']));
    expect(caller.state()).toBe('closed');
  });

  it('after fewer than ten failures', async () => {
    callee.answer = failing('internal', 'INTERNAL');
    await times(9, () => caller.fail());
    expect(caller.state()).toBe('closed');
  });
});

describe('invariant 4: the breaker opens', () => {
  it.each([
    ['UNAVAILABLE', failing('unavailable', 'DATABASE_UNAVAILABLE')],
    ['INTERNAL', failing('internal', 'INTERNAL')],
    ['overload', failing('resource_exhausted', 'OVERLOADED')],
  ])('after 20 × %s', async (_name, answer) => {
    callee.answer = answer;
    await times(20, () => caller.fail());
    expect(caller.state()).toBe('open');
  });

  it('after silence for the whole time of the call', async () => {
    callee.answer = never;
    await times(20, () => caller.fail({ timeoutMs: 100 }));
    expect(caller.state()).toBe('open');
  });

  it('for its own method only', async () => {
    await openIt();
    expect(caller.state('UpsertProfile')).toBe('closed');
  });
});

describe('a slow callee', () => {
  it('F11: gets no more calls at a time than the limit; the others are refused at once', async () => {
    caller.close();
    caller = openCaller(callee.address, { maxInFlight: 5, volumeThreshold: 1_000_000 });
    const { promise, resolve: open } = Promise.withResolvers<object>();
    callee.answer = () => promise;
    const underWay = times(5, () => caller.ask());
    await waitUntil(() => callee.calls === 5);
    const refused = await times(20, () => caller.fail());
    expect(new Set(refused.map(({ kind, reason, details }) => `${kind} ${reason} ${details.retryAfterMs}`))).toEqual(
      new Set(['resource_exhausted OVERLOADED 1000']),
    );
    open({});
    await underWay;
    expect([callee.calls, caller.state()]).toEqual([5, 'closed']);
    await caller.ask();
  });
});

describe('an override of a breaker', () => {
  const override = () =>
    breakersOf(caller.metrics).find('users', 'taskflow.users.v1.InternalUsersService/BatchGetUsers')!.breaker.override;
  const by = { actor: 'somebody', reason: 'a test' };

  it('refuses calls of a healthy callee while it is open, until it is released', async () => {
    await caller.ask();
    override().set({ state: 'open', until: Date.now() + 60_000, ...by });
    const error = await caller.fail();
    expect([error.reason, caller.state(), callee.calls]).toEqual(['CIRCUIT_OPEN', 'open', 1]);
    expect(error.details.retryAfterMs).toBeGreaterThan(30_000);
    override().clear();
    await caller.ask();
    expect(caller.state()).toBe('closed');
  });

  it('lets calls of a failing callee through while it is closed, until it expires', async () => {
    await openIt();
    const { calls } = callee;
    override().set({ state: 'closed', until: Date.now() + 600_000, ...by });
    expect((await caller.fail()).reason).toBe('DATABASE_UNAVAILABLE');
    expect([caller.state(), callee.calls > calls]).toEqual(['closed', true]);
    override().set({ state: 'closed', until: Date.now() + 50, ...by });
    await untilState('open');
    expect((await caller.fail()).reason).toBe('CIRCUIT_OPEN');
  });
});

describe('a callee that was away', () => {
  it('is found again by itself', async () => {
    const before = await startCallee();
    const port = Number(before.address.split(':')[1]);
    const lost = openCaller(before.address, { resetTimeoutMs });
    await lost.ask();
    await before.stop();
    while (lost.state() !== 'open') await lost.fail();
    const after = await startCallee(port);
    await waitUntil(() => lost.ask().then(Boolean, () => false));
    expect([lost.state(), after.calls]).toEqual(['closed', 1]);
    lost.close();
    await after.stop();
  });
});

describe('invariant 4: an open breaker', () => {
  it('refuses calls with the time to wait, without calling the callee', async () => {
    await openIt();
    callee.calls = 0;
    callee.answer = never;
    const error = await caller.fail();
    expect([error.kind, error.reason, callee.calls]).toEqual(['unavailable', 'CIRCUIT_OPEN', 0]);
    expect(error.details.retryAfterMs).toBeGreaterThan(longResetTimeoutMs / 2);
    expect(error.details.retryAfterMs).toBeLessThanOrEqual(longResetTimeoutMs);
  });

  it('lets exactly one of 50 calls through as a probe, whose success closes it', async () => {
    await openItUntilProbed();
    callee.calls = 0;
    const { promise, resolve: open } = Promise.withResolvers<object>();
    callee.answer = () => promise;
    await untilState('half_open');
    const probe = caller.ask();
    const others = await times(49, () => caller.fail());
    expect(reasonsOf(others)).toEqual(new Set(['CIRCUIT_OPEN']));
    open({});
    await probe;
    expect([caller.state(), callee.calls]).toEqual(['closed', 1]);
  });

  it.each([
    ['closes on any answer of the probe that is no fault', failing('not_found', 'USER_NOT_FOUND'), 'closed'],
    ['opens again when the probe fails', failing('internal', 'INTERNAL'), 'open'],
  ])('%s', async (_name, answer, state) => {
    await openItUntilProbed();
    callee.answer = answer;
    await untilState('half_open');
    await caller.fail();
    expect(caller.state()).toBe(state);
  });

  it('does not close on a cancelled probe', async () => {
    await openItUntilProbed();
    const entered = Promise.withResolvers<void>();
    callee.answer = () => (entered.resolve(), never());
    await untilState('half_open');
    const controller = new AbortController();
    const probe = inBackground(controller.signal);
    await entered.promise;
    controller.abort();
    await probe;
    expect(caller.state()).toBe('open');
  });

  it('reports every change in the log and in the metrics', async () => {
    await openItUntilProbed();
    callee.answer = async () => ({});
    await untilState('half_open');
    await caller.ask();
    const changes = caller.lines.filter((line) => line.msg === 'breaker changed');
    expect(changes.map(({ level, state }) => [level, state])).toEqual([
      [40, 'open'],
      [30, 'half_open'],
      [30, 'closed'],
    ]);
    expect(await caller.metrics.registry.metrics()).toMatch(
      /grpc_client_breaker_state\{callee="users",method="[^"]*BatchGetUsers",service="tasks"\} 0/,
    );
  });
});
