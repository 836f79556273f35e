import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { createMetrics } from '#libs/runtime';
import { createClient } from '#libs/grpc';
import { createServiceIdentity, type ServiceIdentity } from '#libs/identity';
import { createStanding } from '../src/standing.ts';
import { InternalUsersServiceService } from '#contract/users/v1/users';
import { startCallee, type Callee } from '../../grpc/test/callee.ts';
import { recordingLogger, servicePrivateKey } from '../../grpc/test/cluster.ts';

const twoHours = 7_200_000;
const minute = 60_000;

let callee: Callee;
/** The error of the caller's clock. */
let aheadMs: number;
let caller: ReturnType<typeof openCaller>;
beforeEach(async () => {
  aheadMs = 0;
  callee = await startCallee();
  caller = openCaller();
});
afterEach(async () => {
  jest.restoreAllMocks();
  caller.close();
  await callee.stop();
});

function openCaller(key = servicePrivateKey('tasks')) {
  const { logger, lines } = recordingLogger();
  const metrics = createMetrics('tasks');
  const identity = createServiceIdentity({
    service: 'tasks',
    privateKey: key,
    clock: { now: () => new Date(Date.now() + aheadMs) },
    standing: createStanding(logger, metrics),
  });
  const { client, close } = createClient(InternalUsersServiceService, {
    callee: 'users',
    address: callee.address,
    identity,
    logger,
    metrics,
  });
  const ask = (): Promise<string> =>
    client.batchGetUsers({ userIds: [] }).then(
      () => 'answered',
      (error: { kind: string; reason: string }) => `${error.kind} ${error.reason}`,
    );
  const refusedMetric = async (): Promise<unknown> =>
    (await metrics.registry.getSingleMetric('taskflow_identity_refused')?.get())?.values[0]?.value;
  return {
    identity,
    ask,
    close,
    refusedMetric,
    logged: () => lines.filter(({ level }) => level > 30).map(({ msg }) => msg),
  };
}

const health = (identity: ServiceIdentity): Promise<string> =>
  identity.standing.check().then(
    () => 'healthy',
    (error: Error) => error.message,
  );

describe('a caller whose clock was wrong for a while', () => {
  it.each([
    ['ahead', twoHours],
    ['behind', -twoHours],
  ])('%s is accepted again with the first call after that', async (_name, stepMs) => {
    expect(await caller.ask()).toBe('answered');
    aheadMs = stepMs;
    expect(await caller.ask()).toBe('unavailable DEPENDENCY_UNAVAILABLE');
    aheadMs = 0;
    expect(await caller.ask()).toBe('answered');
  });

  it('reports in health, log and metric that it is refused, and the end of that', async () => {
    expect(await health(caller.identity)).toBe('healthy');
    aheadMs = twoHours;
    await caller.ask();
    expect(await health(caller.identity)).toBe('our identity is refused by users');
    expect(await caller.refusedMetric()).toBe(1);
    aheadMs = 0;
    await caller.ask();
    expect(await health(caller.identity)).toBe('healthy');
    expect(await caller.refusedMetric()).toBe(0);
    expect(caller.logged()).toEqual(['the identity of this service is refused: look at its key and at the clocks']);
  });
});

describe('a refused token', () => {
  it('is renewed unless it was signed within the last second', async () => {
    const token = await caller.identity.tokenFor('users');
    expect(await caller.identity.renew('users', token)).toBe(false);
    aheadMs = 2_000;
    expect(await caller.identity.renew('users', token)).toBe(true);
    expect(await caller.identity.tokenFor('users')).not.toBe(token);
    expect(await caller.identity.renew('users', token)).toBe(true);
  });

  it('does not fail the call when a new token is accepted', async () => {
    // This token is already too old for the callee.
    aheadMs = -62_000;
    expect(await caller.ask()).toBe('unavailable DEPENDENCY_UNAVAILABLE');
    // For the caller it is now half a minute old and used for another ten seconds.
    aheadMs = -30_000;
    const before = await caller.identity.tokenFor('users');
    expect(await caller.ask()).toBe('answered');
    expect(await caller.identity.tokenFor('users')).not.toBe(before);
  });

  it('is renewed only once, so a wrong key costs at most two calls', async () => {
    const stranger = openCaller(servicePrivateKey('auth'));
    const before = callee.calls;
    expect(await stranger.ask()).toBe('unavailable DEPENDENCY_UNAVAILABLE');
    expect(callee.calls).toBe(before);
    expect(await health(stranger.identity)).toBe('our identity is refused by users');
    stranger.close();
  });
});

describe('the standing of a service', () => {
  it('is bad when all callees refuse it, not when one does, and old refusals do not count', async () => {
    const standing = createStanding();
    standing.note('users', false);
    standing.note('auth', true);
    await expect(standing.check()).resolves.toBeUndefined();
    standing.note('auth', false);
    await expect(standing.check()).rejects.toThrow('refused by users, auth');
    const later = performance.now() + minute;
    jest.spyOn(performance, 'now').mockReturnValue(later);
    await expect(standing.check()).resolves.toBeUndefined();
  });
});
