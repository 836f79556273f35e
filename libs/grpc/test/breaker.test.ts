import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { AppError } from '#libs/errors';
import { runInBackground } from '#libs/runtime';
import { breakersOf } from '../src/client/breaker-list.ts';
import { openCaller, startCallee, type Callee, type Caller } from './callee.ts';
import { recordingLogger } from './cluster.ts';
import { gate } from './services.ts';

const { logger } = recordingLogger();
/** So short that a test can wait for the probe. */
const resetTimeoutMs = 150;
/** So long that no breaker lets a probe through in the middle of a test, however slow the machine is. */
const longResetTimeoutMs = 600_000;
let callee: Callee;
let caller: Caller;

beforeAll(async () => {
  callee = await startCallee();
});
afterAll(() => callee.stop());
beforeEach(() => {
  callee.calls = 0;
  callee.answer = async () => ({});
  caller = openCaller(callee.address, { resetTimeoutMs: longResetTimeoutMs });
});
afterEach(() => caller.close());

const failing = (kind: AppError['kind'], reason: AppError['reason']) => async () => Promise.reject(new AppError(kind, reason, 'failed'));
const times = <T>(count: number, fn: () => Promise<T>): Promise<T[]> => Promise.all(Array.from({ length: count }, fn));

/** Polls until the breaker is there; the test's time limit ends it. */
async function until(state: ReturnType<Caller['state']>): Promise<void> {
  while (caller.state() !== state) await new Promise((resolve) => setTimeout(resolve, 5));
}

async function openIt(): Promise<void> {
  callee.answer = failing('unavailable', 'DATABASE_UNAVAILABLE');
  await times(20, () => caller.fail());
}

/** The same, with a breaker that soon lets a probe through. */
async function openItUntilProbed(): Promise<void> {
  caller.close();
  caller = openCaller(callee.address, { resetTimeoutMs });
  callee.answer = failing('unavailable', 'DATABASE_UNAVAILABLE');
  // One by one: a failure that came after it has opened could be taken for that of the probe.
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
    // Few at a time: on a busy machine many at once would run into their deadlines, and those are faults.
    const atOnce = 20;
    for (let round = 0; round < count / atOnce; round++) await times(atOnce, () => caller.fail());
    expect([caller.state(), callee.calls]).toEqual(['closed', count]);
  });

  it('after calls that their callers cancelled', async () => {
    callee.answer = () => new Promise(() => undefined);
    const controller = new AbortController();
    const failed = times(50, () => runInBackground({ name: 'test', logger, timeoutMs: 5000, signal: controller.signal }, () => caller.fail()));
    while (callee.calls < 50) await new Promise((resolve) => setImmediate(resolve));
    controller.abort();
    expect(new Set((await failed).map((error) => error.reason))).toEqual(new Set(['CANCELLED']));
    expect(caller.state()).toBe('closed');
  });

  it('after silence within a deadline that was shorter than the contract grants', async () => {
    callee.answer = () => new Promise(() => undefined);
    const failed = await times(30, () => runInBackground({ name: 'test', logger, timeoutMs: 200 }, () => caller.fail()));
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

  it('after silence for the whole time that was to be granted', async () => {
    callee.answer = () => new Promise(() => undefined);
    await times(20, () => caller.fail({ timeoutMs: 100 }));
    expect(caller.state()).toBe('open');
  });

  it('for its own method only', async () => {
    await openIt();
    const upsertProfile = caller.breakers().find(({ method }) => method === 'upsertProfile');
    expect(upsertProfile?.state).toBe('closed');
  });
});

describe('a slow callee', () => {
  it('F11: has as many calls under way as it may, and the others are refused at once', async () => {
    caller.close();
    caller = openCaller(callee.address, { maxInFlight: 5, volumeThreshold: 1_000_000 });
    const { promise, open } = gate<object>();
    callee.answer = () => promise;
    const underWay = times(5, () => caller.ask());
    while (callee.calls < 5) await new Promise((resolve) => setImmediate(resolve));
    const refused = await times(20, () => caller.fail());
    expect(new Set(refused.map(({ kind, reason, details }) => `${kind} ${reason} ${details.retryAfterMs}`))).toEqual(new Set(['resource_exhausted OVERLOADED 1000']));
    open({});
    await underWay;
    expect([callee.calls, caller.state()]).toEqual([5, 'closed']);
    await caller.ask();
  });
});

describe('a breaker that is forced', () => {
  const forced = () => breakersOf(caller.metrics).find('users', 'taskflow.users.v1.InternalUsersService/BatchGetUsers')!.breaker.forcing;
  const by = { actor: 'somebody', reason: 'a test' };

  it('open refuses although the callee is well, until it is released', async () => {
    await caller.ask();
    forced().set({ state: 'open', until: Date.now() + 60_000, ...by });
    const error = await caller.fail();
    expect([error.reason, caller.state(), callee.calls]).toEqual(['CIRCUIT_OPEN', 'open', 1]);
    expect(error.details.retryAfterMs).toBeGreaterThan(30_000);
    forced().clear();
    await caller.ask();
    expect(caller.state()).toBe('closed');
  });

  it('closed lets every call through although the callee fails, until its time is over', async () => {
    await openIt();
    const { calls } = callee;
    forced().set({ state: 'closed', until: Date.now() + 600_000, ...by });
    expect((await caller.fail()).reason).toBe('DATABASE_UNAVAILABLE');
    expect([caller.state(), callee.calls > calls]).toEqual(['closed', true]);
    forced().set({ state: 'closed', until: Date.now() + 50, ...by });
    await until('open');
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
    while (!(await lost.ask().then(() => true, () => false))) await new Promise((resolve) => setTimeout(resolve, 10));
    expect([lost.state(), after.calls]).toEqual(['closed', 1]);
    lost.close();
    await after.stop();
  });
});

describe('invariant 4: an open breaker', () => {
  it('answers by itself, says when to come back, and does not ask the callee', async () => {
    await openIt();
    callee.calls = 0;
    callee.answer = () => new Promise(() => undefined);
    const error = await caller.fail();
    expect([error.kind, error.reason, callee.calls]).toEqual(['unavailable', 'CIRCUIT_OPEN', 0]);
    expect(error.details.retryAfterMs).toBeGreaterThan(longResetTimeoutMs / 2);
    expect(error.details.retryAfterMs).toBeLessThanOrEqual(longResetTimeoutMs);
  });

  it('lets exactly one of 50 calls through as a probe, whose success closes it', async () => {
    await openItUntilProbed();
    callee.calls = 0;
    const { promise, open } = gate<object>();
    callee.answer = () => promise;
    await until('half_open');
    const probe = caller.ask();
    const others = await times(49, () => caller.fail());
    expect(new Set(others.map((error) => error.reason))).toEqual(new Set(['CIRCUIT_OPEN']));
    open({});
    await probe;
    expect([caller.state(), callee.calls]).toEqual(['closed', 1]);
  });

  it('closes on any answer of the probe that is not a fault', async () => {
    await openItUntilProbed();
    callee.answer = failing('not_found', 'USER_NOT_FOUND');
    await until('half_open');
    await caller.fail();
    expect(caller.state()).toBe('closed');
  });

  it('opens again when the probe fails', async () => {
    await openItUntilProbed();
    callee.answer = failing('internal', 'INTERNAL');
    await until('half_open');
    await caller.fail();
    expect(caller.state()).toBe('open');
  });

  it('does not take a cancelled probe for a proof of health', async () => {
    await openItUntilProbed();
    const entered = gate();
    callee.answer = () => (entered.open(), new Promise(() => undefined));
    await until('half_open');
    const controller = new AbortController();
    const probe = runInBackground({ name: 'test', logger, timeoutMs: 5000, signal: controller.signal }, () => caller.fail());
    await entered.promise;
    controller.abort();
    await probe;
    expect(caller.state()).toBe('open');
  });

  it('tells of every change in the log and in the metrics', async () => {
    await openItUntilProbed();
    callee.answer = async () => ({});
    await until('half_open');
    await caller.ask();
    const changes = caller.lines.filter((line) => line.msg === 'breaker changed');
    expect(changes.map(({ level, state }) => [level, state])).toEqual([
      [40, 'open'],
      [30, 'half_open'],
      [30, 'closed'],
    ]);
    expect(await caller.metrics.registry.metrics()).toMatch(/grpc_client_breaker_state\{callee="users",method="[^"]*BatchGetUsers",service="tasks"\} 0/);
  });
});
