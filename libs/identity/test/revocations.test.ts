import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { AppError } from '#libs/errors';
import { createMetrics, createSharedClock, steadyNow } from '#libs/runtime';
import { createRevocationFollower, type RevocationFollower, type RevocationFollowerOptions } from '#libs/identity';
import { recordingLogger } from '../../grpc/test/cluster.ts';
import {
  createSource,
  ofAccount,
  ofSession,
  openWatcher,
  serveSource,
  type Channel,
} from '../../grpc/test/revocation-source.ts';

const cleanUps: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

/** Polls without timers, which a test may have faked. */
async function waitUntil(isTrue: () => boolean): Promise<void> {
  while (!isTrue()) await new Promise((resolve) => setImmediate(resolve));
}

/** Runs a test with fake timers, so that no pause of the machine counts as a silence of auth. */
async function inFakeTime(test: () => Promise<void>): Promise<void> {
  jest.useFakeTimers({ doNotFake: ['nextTick', 'queueMicrotask', 'setImmediate'] });
  try {
    await test();
  } finally {
    for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
    jest.useRealTimers();
  }
}

function follow(options: Partial<RevocationFollowerOptions> = {}) {
  const source = createSource();
  const { logger, lines } = recordingLogger();
  const metrics = createMetrics('tasks');
  let aheadMs = 0;
  const clock = { now: () => new Date(Date.now() + aheadMs) };
  const elapsedMs = (): number => performance.now() + aheadMs;
  const follower = createRevocationFollower({ watch: source.watch, logger, metrics, clock, elapsedMs, ...options });
  follower.start();
  cleanUps.push(() => follower.stop());
  const logged = (): string[] => lines.filter(({ level }) => level > 20).map(({ msg }) => msg);
  const staleMetric = async (): Promise<unknown> =>
    (await metrics.registry.getSingleMetric('taskflow_revocations_stale')?.get())?.values[0]?.value;
  return { source, follower, logged, staleMetric, advance: (ms: number) => void (aheadMs += ms) };
}

const token = (sessionId: string, userId = 'ada', issuedAt = Date.now()) => ({ sessionId, userId, issuedAt });
const hasSession = (follower: RevocationFollower, sessionId: string): boolean => follower.isRevoked(token(sessionId));

async function complete(channel: Channel, follower: RevocationFollower, ...sessions: string[]): Promise<void> {
  channel.send({ revocations: sessions.map((id) => ofSession(id)), snapshotComplete: true });
  await waitUntil(() => !follower.isStale());
}

describe('a revocation follower', () => {
  it('knows revoked sessions, and accounts with the time before which their tokens are revoked', async () => {
    const { source, follower } = follow();
    const channel = await source.connection();
    await complete(channel, follower, 'one');
    const notBefore = new Date(1_800_000_000_500);
    channel.send({ revocations: [ofAccount('ada', notBefore), ofAccount('ada', new Date(1_700_000_000_000))] });
    await waitUntil(() => follower.isRevoked(token('two', 'ada', 1_800_000_000_499)));
    expect(hasSession(follower, 'one')).toBe(true);
    expect(follower.isRevoked(token('two', 'ada', 1_800_000_000_500))).toBe(false);
    expect(follower.isRevoked(token('two', 'grace', 0))).toBe(false);
  });

  it('is stale until the first snapshot is complete', async () => {
    const { source, follower } = follow();
    const channel = await source.connection();
    channel.send({ revocations: [ofSession('one')] });
    await waitUntil(() => hasSession(follower, 'one'));
    expect(follower.isStale()).toBe(true);
    await expect(follower.check()).rejects.toThrow('no revocations yet');
    await complete(channel, follower);
    await follower.check();
  });

  it('keeps its revocations until the snapshot of a new connection is complete, then replaces them', async () => {
    const { source, follower } = follow();
    const first = await source.connection();
    await complete(first, follower, 'one');
    first.end(new AppError('unavailable', 'SHUTTING_DOWN', 'bye'));
    const second = await source.connection();
    second.send({ revocations: [ofSession('two')] });
    await waitUntil(() => hasSession(follower, 'two'));
    expect(hasSession(follower, 'one')).toBe(true);
    second.send({ snapshotComplete: true, revocations: [ofSession('three')] });
    await waitUntil(() => hasSession(follower, 'three'));
    expect([hasSession(follower, 'one'), hasSession(follower, 'two')]).toEqual([false, true]);
  });

  it('keeps its revocations when a snapshot breaks off', async () => {
    const { source, follower } = follow();
    const first = await source.connection();
    await complete(first, follower, 'one');
    first.end();
    const second = await source.connection();
    second.send({ revocations: [ofSession('two')] });
    second.end(new Error('cut'));
    await source.connection();
    expect([hasSession(follower, 'one'), hasSession(follower, 'two')]).toEqual([true, true]);
  });

  it('prunes revocations whose tokens have all expired', async () => {
    const { source, follower, advance } = follow();
    const channel = await source.connection();
    await complete(channel, follower, 'one');
    channel.send({ revocations: [ofSession('two', new Date(Date.now() + 3_600_000))] });
    await waitUntil(() => hasSession(follower, 'two'));
    advance(601_000);
    await waitUntil(() => !hasSession(follower, 'one'));
    expect(hasSession(follower, 'two')).toBe(true);
  });

  it('is stale after five seconds of silence, and reports the beginning and the end in the log and in the metric', () =>
    inFakeTime(async () => {
      const { source, follower, logged, staleMetric, advance } = follow();
      const channel = await source.connection();
      await complete(channel, follower);
      expect(await staleMetric()).toBe(0);
      advance(4000);
      expect(follower.isStale()).toBe(false);
      advance(1500);
      expect(follower.isStale()).toBe(true);
      jest.advanceTimersByTime(1000);
      expect(logged()).toHaveLength(2);
      expect(await staleMetric()).toBe(1);
      channel.send({});
      await waitUntil(() => !follower.isStale());
      expect(await staleMetric()).toBe(0);
      expect(logged()).toEqual([
        'revocations are followed',
        'revocations are stale; sensitive methods refuse',
        'revocations are followed',
      ]);
    }));

  it('prunes nothing before its clock is set, because it may be wrong', async () => {
    const clock = createSharedClock();
    cleanUps.push(() => jest.restoreAllMocks());
    jest.spyOn(Date, 'now').mockImplementation(() => Math.round(steadyNow() + 7_200_000));
    const { source, follower } = follow({ clock });
    const channel = await source.connection();
    const revocations = [
      ofSession('one', new Date(steadyNow() + 600_000)),
      ofSession('ended', new Date(steadyNow() - 1000)),
    ];
    channel.send({ revocations, snapshotComplete: true });
    await waitUntil(() => hasSession(follower, 'ended'));
    clock.set(steadyNow(), steadyNow());
    await waitUntil(() => !hasSession(follower, 'ended'));
    expect(hasSession(follower, 'one')).toBe(true);
  });

  it('stays stale after a reconnection until the snapshot is complete', async () => {
    const { source, follower, advance } = follow();
    const first = await source.connection();
    await complete(first, follower);
    first.end();
    const second = await source.connection();
    advance(5500);
    second.send({ revocations: [ofSession('one')] });
    await waitUntil(() => hasSession(follower, 'one'));
    expect(follower.isStale()).toBe(true);
  });

  it('replaces a silent connection before it is stale', () =>
    inFakeTime(async () => {
      const { source, follower, logged } = follow();
      const first = await source.connection();
      await complete(first, follower);
      jest.advanceTimersByTime(3000);
      await first.left;
      expect(follower.isStale()).toBe(false);
      (await source.connection()).send({ revocations: [ofSession('one')], snapshotComplete: true });
      await waitUntil(() => hasSession(follower, 'one'));
      expect(logged()).toEqual(['revocations are followed']);
    }));

  it('stops at once', async () => {
    const { source, follower } = follow();
    const channel = await source.connection();
    await follower.stop();
    await channel.left;
  });

  it('reconnects to a server that was restarted', async () => {
    const source = createSource();
    const server = await serveSource(source);
    const watcher = openWatcher(server.address);
    cleanUps.push(() => watcher.close());
    const { follower } = follow({ watch: (signal) => watcher.client.watchRevocations({}, { signal }) });
    await complete(await source.connection(), follower, 'one');
    await server.stop();
    const again = await serveSource(source, Number(server.address.split(':').at(-1)));
    cleanUps.push(() => again.stop());
    const channel = await source.connection();
    channel.send({ revocations: [ofSession('one'), ofSession('two')], snapshotComplete: true });
    await waitUntil(() => hasSession(follower, 'two'));
    expect(hasSession(follower, 'one')).toBe(true);
  });
});
