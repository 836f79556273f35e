import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { AuthServiceService } from '#contract/auth/v1/auth';
import { findFreePort, startTcpProxy } from '#dev/cluster';
import { AppError } from '#libs/errors';
import { createMetrics, runInBackground, runInsideTransaction, steadyNow, type CallContext } from '#libs/runtime';
import { createClient } from '../src/index.ts';
import { openCaller, startCallee, type Callee, type Caller } from './callee.ts';
import { identityOf, metricOf, recordingLogger, startTestServer } from './cluster.ts';
import { authBinding } from './services.ts';

const { logger } = recordingLogger();
let callee: Callee;
let caller: Caller;

beforeAll(async () => {
  callee = await startCallee();
});
afterAll(() => callee.stop());
beforeEach(() => {
  callee.calls = 0;
  callee.answer = async () => ({});
  // Without a breaker, which has its own tests.
  caller = openCaller(callee.address, { volumeThreshold: 1_000_000 });
});
afterEach(() => caller.close());

const inContext = <T>(timeoutMs: number, fn: (context: CallContext) => Promise<T>, signal?: AbortSignal) =>
  runInBackground(
    {
      name: 'test',
      logger,
      timeoutMs,
      requestId: 'call-1',
      traceParent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
      signal,
    },
    fn,
  );
const failing = (error: unknown) => async () => Promise.reject(error);
/** A server answers a little before the deadline, and the wire has whole milliseconds. */
const reserveMs = 20 + 2;

/** Records the deadline of the next call, and when it arrives. */
function recordTimes(): { deadline: number; arrival: number } {
  const times = { deadline: 0, arrival: 0 };
  callee.answer = async ({ deadline }) => {
    Object.assign(times, { deadline, arrival: steadyNow() });
    return {};
  };
  return times;
}

describe('a call to another service', () => {
  it('carries the request id and the trace of the current call, and the identity of the service', async () => {
    let seen: CallContext | undefined;
    callee.answer = async (call) => ((seen = call), {});
    await inContext(5000, () => caller.ask());
    expect(seen).toMatchObject({ requestId: 'call-1', actor: { kind: 'service', service: 'tasks' } });
    expect(seen?.traceParent).toContain('-0af7651916cd43dd8448eb211c80319c-');
  });

  it('outside of a call has the deadline of the contract', async () => {
    const times = recordTimes();
    const before = steadyNow();
    await caller.ask();
    expect(times.deadline).toBeGreaterThanOrEqual(before + 2000 - reserveMs);
    expect(times.deadline - times.arrival).toBeLessThanOrEqual(2000);
  });

  it('invariant 5: has less time than the current call', async () => {
    const times = recordTimes();
    let ofCaller = 0;
    await inContext(1500, (context) => ((ofCaller = context.deadline), caller.ask()));
    expect(times.deadline).toBeGreaterThanOrEqual(ofCaller - 50 - reserveMs);
    expect(times.deadline - times.arrival).toBeLessThanOrEqual(1450);
  });

  it('invariant 5: is not sent when too little time is left', async () => {
    const error = await inContext(65, () => caller.fail());
    expect([error.kind, error.reason, callee.calls]).toEqual(['deadline_exceeded', 'DEADLINE_TOO_SHORT', 0]);
  });

  it('ends at its deadline although the callee hangs, and the current call goes on', async () => {
    callee.answer = () => new Promise(() => undefined);
    const [error, goesOn] = await inContext(600_000, async ({ signal }) => [
      await caller.fail({ timeoutMs: 200 }),
      !signal.aborted,
    ]);
    expect([error.kind, goesOn]).toEqual(['deadline_exceeded', true]);
  });

  it('invariant 5: is cancelled with the current call', async () => {
    const entered = Promise.withResolvers<void>();
    const aborted = Promise.withResolvers<void>();
    callee.answer = (call) => {
      call.signal.addEventListener('abort', () => aborted.resolve());
      entered.resolve();
      return new Promise(() => undefined);
    };
    const controller = new AbortController();
    const failed = inContext(5000, () => caller.fail(), controller.signal);
    await entered.promise;
    controller.abort();
    expect(await failed).toMatchObject({ kind: 'cancelled', reason: 'CANCELLED' });
    await aborted.promise;
  });

  it('invariant 11: is a defect inside a database transaction', async () => {
    await expect(runInsideTransaction(() => caller.ask())).rejects.toThrow(
      'call of taskflow.users.v1.InternalUsersService/BatchGetUsers inside a database transaction',
    );
    expect(callee.calls).toBe(0);
  });

  it('is counted by method, code and reason', async () => {
    callee.answer = failing(new AppError('not_found', 'USER_NOT_FOUND', 'no such user'));
    await caller.fail();
    const method = 'taskflow.users.v1.InternalUsersService/BatchGetUsers';
    const labels = `callee="users",method="${method}",code="NOT_FOUND",reason="USER_NOT_FOUND"`;
    expect(await metricOf(caller, `grpc_client_handled_total{${labels}`)).toBe(1);
  });

  it('shares one connection with the other clients of its target', async () => {
    const proxy = await startTcpProxy(callee.address);
    const [first, second] = [openCaller(proxy.address), openCaller(proxy.address)];
    await Promise.all([first.ask(), second.ask(), first.ask()]);
    first.close();
    await second.ask();
    expect(proxy.connections()).toBe(1);
    second.close();
    await proxy.close();
  });
});

describe('the error of a callee', () => {
  it('arrives with reason and details', async () => {
    const details = {
      retryAfterMs: 1500,
      resource: { type: 'user', name: 'u1' },
      quota: [{ subject: 'u1', description: 'too many' }],
      metadata: { limit: '5' },
    };
    callee.answer = failing(new AppError('resource_exhausted', 'RATE_LIMITED', 'slowly', { details }));
    const error = await caller.fail();
    expect([error.kind, error.reason, error.message]).toEqual(['resource_exhausted', 'RATE_LIMITED', 'slowly']);
    expect(error.details).toEqual(details);
  });

  it('that refuses the calling service itself becomes DEPENDENCY_UNAVAILABLE', async () => {
    const stranger = openCaller(callee.address, {}, 'auth');
    const error = await stranger.fail();
    expect([error.kind, error.reason, error.message]).toEqual([
      'unavailable',
      'DEPENDENCY_UNAVAILABLE',
      'users did not answer',
    ]);
    expect(String((error.cause as Error).message)).toContain('auth may not call this');
    stranger.close();
  });

  it('without details depends on its code: a stopped callee is UNAVAILABLE, with the time to wait', async () => {
    const lost = openCaller(`127.0.0.1:${await findFreePort()}`);
    expect(await lost.fail()).toMatchObject({
      kind: 'unavailable',
      reason: 'DEPENDENCY_UNAVAILABLE',
      details: { retryAfterMs: 1000 },
    });
    lost.close();
  });
});

describe('a retry', () => {
  const unavailable = failing(new AppError('unavailable', 'DATABASE_UNAVAILABLE', 'no database'));

  it('happens after UNAVAILABLE where the contract calls it safe', async () => {
    callee.answer = (call) =>
      callee.calls === 1 ? unavailable() : Promise.resolve({ unknownUserIds: [call.requestId] });
    expect(await inContext(5000, () => caller.ask())).toEqual({ users: [], unknownUserIds: ['call-1'] });
    expect(callee.calls).toBe(2);
  });

  it('does not happen after any other error', async () => {
    callee.answer = failing(new AppError('aborted', 'WRITE_CONFLICT', 'again'));
    await caller.fail();
    expect(callee.calls).toBe(1);
  });

  it('does not happen where the contract calls it unsafe', async () => {
    let calls = 0;
    const refuse = async (): Promise<never> => (calls++, unavailable());
    const { server, address } = await startTestServer({
      service: 'auth',
      bindings: [authBinding({ register: refuse })],
    });
    const auth = createClient(AuthServiceService, {
      callee: 'auth',
      address,
      identity: identityOf('tasks'),
      logger,
      metrics: createMetrics('tasks'),
    });
    await expect(
      auth.client.register({ email: '', password: '', displayName: '', invitationToken: '' }),
    ).rejects.toMatchObject({
      reason: 'DATABASE_UNAVAILABLE',
    });
    expect(calls).toBe(1);
    auth.close();
    await server.stop();
  });

  it('invariant 6: stays rare when all calls fail: the callee gets at most 1.2 × as many requests', async () => {
    callee.answer = unavailable;
    for (let round = 0; round < 50; round++) await Promise.all(Array.from({ length: 4 }, () => caller.fail()));
    expect(callee.calls).toBeLessThanOrEqual(240);
  });

  it('invariant 6: uses a budget, which the metrics show like grpc-js counts it', async () => {
    const own = await startCallee();
    const asker = openCaller(own.address, { volumeThreshold: 1_000_000 });
    const look = async (): Promise<[number, number]> => {
      const tokens = await metricOf(asker, 'grpc_client_retry_budget_tokens{callee="users"');
      return [own.calls, Math.round(tokens * 10) / 10];
    };
    own.answer = unavailable;
    const seen: [number, number][] = [];
    for (let count = 0; count < 3; count += 1) {
      await asker.fail();
      seen.push(await look());
    }
    // Three attempts; two, because there are no retries at 5 or less; one.
    expect(seen).toEqual([
      [3, 7],
      [5, 5],
      [6, 4],
    ]);
    own.answer = async () => ({});
    for (let count = 0; count < 30; count += 1) await asker.ask();
    expect(await look()).toEqual([36, 7]);
    own.answer = unavailable;
    await asker.fail();
    expect(await look()).toEqual([38, 5]);
    asker.close();
    await own.stop();
  });
});
