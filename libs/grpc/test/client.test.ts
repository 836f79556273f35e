import { createServer, type AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { AuthServiceService } from '#contract/auth/v1/auth';
import { AppError } from '#libs/errors';
import { createMetrics, runInBackground, runInsideTransaction, type CallContext } from '#libs/runtime';
import { createClient } from '../src/index.ts';
import { openCaller, startCallee, startProxy, type Callee, type Caller } from './callee.ts';
import { identityOf, recordingLogger, startTestServer } from './cluster.ts';
import { authBinding, gate } from './services.ts';

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
  // The breaker has tests of its own.
  caller = openCaller(callee.address, { volumeThreshold: 1_000_000 });
});
afterEach(() => caller.close());

const inContext = <T>(timeoutMs: number, fn: (context: CallContext) => Promise<T>, signal?: AbortSignal) =>
  runInBackground({ name: 'test', logger, timeoutMs, callId: 'call-1', traceParent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01', signal }, fn);
const failing = (error: unknown) => async () => Promise.reject(error);
/** What a server keeps of the time to answer in, and the wire tells times in whole milliseconds. */
const reserveMs = 20 + 2;

describe('a call to another service', () => {
  it('carries the id and the trace of the call that it is made for, and the identity of the caller', async () => {
    let seen: CallContext | undefined;
    callee.answer = async (call) => ((seen = call), {});
    await inContext(5000, () => caller.ask());
    expect(seen).toMatchObject({ callId: 'call-1', actor: { kind: 'service', service: 'tasks' } });
    expect(seen?.traceParent).toContain('-0af7651916cd43dd8448eb211c80319c-');
  });

  it('has the deadline of the contract when it is made for no call', async () => {
    let deadline = 0;
    let arrival = 0;
    callee.answer = async (call) => (([deadline, arrival] = [call.deadline, Date.now()]), {});
    const before = Date.now();
    await caller.ask();
    expect(deadline).toBeGreaterThanOrEqual(before + 2000 - reserveMs);
    expect(deadline - arrival).toBeLessThanOrEqual(2000);
  });

  it('invariant 5: has less time than the call that it is made for', async () => {
    let deadline = 0;
    let arrival = 0;
    callee.answer = async (call) => (([deadline, arrival] = [call.deadline, Date.now()]), {});
    let ofCaller = 0;
    await inContext(1500, (context) => ((ofCaller = context.deadline), caller.ask()));
    expect(deadline).toBeGreaterThanOrEqual(ofCaller - 50 - reserveMs);
    expect(deadline - arrival).toBeLessThanOrEqual(1450);
  });

  it('invariant 5: is not sent when too little time is left', async () => {
    const error = await inContext(65, () => caller.fail());
    expect([error.kind, error.reason, callee.calls]).toEqual(['deadline_exceeded', 'DEADLINE_TOO_SHORT', 0]);
  });

  it('ends when its time is up although the callee hangs for ever, and the call that it is made for goes on', async () => {
    callee.answer = () => new Promise(() => undefined);
    const [error, goesOn] = await inContext(600_000, async ({ signal }) => [await caller.fail({ timeoutMs: 200 }), !signal.aborted]);
    expect([error.kind, goesOn]).toEqual(['deadline_exceeded', true]);
  });

  it('invariant 5: is cancelled when the call that it is made for is', async () => {
    const entered = gate();
    const aborted = gate();
    callee.answer = (call) => {
      call.signal.addEventListener('abort', () => aborted.open());
      entered.open();
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
    await expect(runInsideTransaction(() => caller.ask())).rejects.toThrow('call of taskflow.users.v1.InternalUsersService/BatchGetUsers inside a database transaction');
    expect(callee.calls).toBe(0);
  });

  it('is counted by method, code and reason', async () => {
    callee.answer = failing(new AppError('not_found', 'USER_NOT_FOUND', 'no such user'));
    await caller.fail();
    expect(await caller.metrics.registry.metrics()).toMatch(
      /grpc_client_handled_total\{callee="users",method="taskflow.users.v1.InternalUsersService\/BatchGetUsers",code="NOT_FOUND",reason="USER_NOT_FOUND",service="tasks"\} 1/,
    );
  });

  it('shares one connection with the other clients of its target', async () => {
    const proxy = await startProxy(callee.address);
    const [first, second] = [openCaller(proxy.address), openCaller(proxy.address)];
    await Promise.all([first.ask(), second.ask(), first.ask()]);
    first.close();
    await second.ask();
    expect(proxy.connections()).toBe(1);
    second.close();
    proxy.stop();
  });
});

describe('the error of a callee', () => {
  it('arrives with reason and details', async () => {
    const details = { retryAfterMs: 1500, resource: { type: 'user', name: 'u1' }, quota: [{ subject: 'u1', description: 'too many' }], metadata: { limit: '5' } };
    callee.answer = failing(new AppError('resource_exhausted', 'RATE_LIMITED', 'slowly', { details }));
    const error = await caller.fail();
    expect({ kind: error.kind, reason: error.reason, message: error.message, details: error.details }).toEqual({
      kind: 'resource_exhausted',
      reason: 'RATE_LIMITED',
      message: 'slowly',
      details,
    });
  });

  it('that blames the identity of the calling service is a defect of ours', async () => {
    const stranger = openCaller(callee.address, {}, 'auth');
    const error = await stranger.fail();
    expect([error.kind, error.reason, error.message]).toEqual(['internal', 'INTERNAL', 'internal error']);
    expect(String((error.cause as Error).message)).toContain('auth may not call this');
    stranger.close();
  });

  it('without details is judged by its code: a callee that is away is UNAVAILABLE, with the time to wait', async () => {
    const closed = createServer();
    await new Promise<void>((resolve) => closed.listen(0, '127.0.0.1', resolve));
    const { port } = closed.address() as AddressInfo;
    await new Promise((resolve) => closed.close(resolve));
    const lost = openCaller(`127.0.0.1:${port}`);
    expect(await lost.fail()).toMatchObject({ kind: 'unavailable', reason: 'DEPENDENCY_UNAVAILABLE', details: { retryAfterMs: 1000 } });
    lost.close();
  });
});

describe('a retry', () => {
  const unavailable = failing(new AppError('unavailable', 'DATABASE_UNAVAILABLE', 'no database'));

  it('happens after UNAVAILABLE where the contract calls it safe', async () => {
    callee.answer = (call) => (callee.calls === 1 ? unavailable() : Promise.resolve({ unknownUserIds: [call.callId] }));
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
    const { server, address } = await startTestServer({ service: 'auth', bindings: [authBinding({ register: refuse })] });
    const auth = createClient(AuthServiceService, { callee: 'auth', address, identity: identityOf('tasks'), logger, metrics: createMetrics('tasks') });
    await expect(auth.client.register({ email: '', password: '', displayName: '' })).rejects.toMatchObject({ reason: 'DATABASE_UNAVAILABLE' });
    expect(calls).toBe(1);
    auth.close();
    await server.stop();
  });

  it('invariant 6: stays rare when everything fails: at most 1.2 × as many requests reach the callee as were made', async () => {
    callee.answer = unavailable;
    for (let round = 0; round < 50; round++) await Promise.all(Array.from({ length: 4 }, () => caller.fail()));
    expect(callee.calls).toBeLessThanOrEqual(240);
  });

  it('invariant 6: is paid from a budget that the metrics show as grpc-js has it', async () => {
    const own = await startCallee();
    const asker = openCaller(own.address, { volumeThreshold: 1_000_000 });
    const look = async (): Promise<[number, number]> => {
      const [, tokens] = /grpc_client_retry_budget_tokens\{callee="users",service="tasks"\} ([\d.]+)/.exec(await asker.metrics.registry.metrics()) ?? [];
      return [own.calls, Math.round(Number(tokens) * 10) / 10];
    };
    own.answer = unavailable;
    const seen: [number, number][] = [];
    for (let count = 0; count < 3; count += 1) {
      await asker.fail();
      seen.push(await look());
    }
    // Three attempts; two, since at 5 nothing is sent again; one.
    expect(seen).toEqual([[3, 7], [5, 5], [6, 4]]);
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
