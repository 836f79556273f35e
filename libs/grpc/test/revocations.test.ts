import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { AppError } from '#libs/errors';
import { createMetrics } from '#libs/runtime';
import { createRevocationFollower, type RevocationFollower } from '../src/index.ts';
import { recordingLogger } from './cluster.ts';
import { createSource, ofAccount, ofSession, openWatcher, serveSource, type Channel } from './revocation-source.ts';

const cleanUps: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

/** Waits for what the follower notices by itself. */
async function until(isTrue: () => boolean): Promise<void> {
  while (!isTrue()) await new Promise((resolve) => setImmediate(resolve));
}

/** Time that passes only when it is told to: no pause of the machine is taken for a silence of auth. */
async function inFakeTime(test: () => Promise<void>): Promise<void> {
  jest.useFakeTimers({ doNotFake: ['nextTick', 'queueMicrotask', 'setImmediate'] });
  try {
    await test();
  } finally {
    for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
    jest.useRealTimers();
  }
}

function follow() {
  const source = createSource();
  const { logger, lines } = recordingLogger();
  const metrics = createMetrics('tasks');
  let aheadMs = 0;
  const clock = { now: () => new Date(Date.now() + aheadMs) };
  const follower = createRevocationFollower({ watch: source.watch, logger, metrics, clock });
  follower.start();
  cleanUps.push(() => follower.stop());
  const told = (): string[] => lines.filter(({ level }) => level > 20).map(({ msg }) => msg);
  const staleMetric = async (): Promise<unknown> => (await metrics.registry.getSingleMetric('taskflow_revocations_stale')?.get())?.values[0]?.value;
  return { source, follower, told, staleMetric, advance: (ms: number) => void (aheadMs += ms) };
}

const token = (sessionId: string, userId = 'ada', issuedAt = Date.now()) => ({ sessionId, userId, issuedAt });
const hasSession = (follower: RevocationFollower, sessionId: string): boolean => follower.isRevoked(token(sessionId));

async function complete(channel: Channel, follower: RevocationFollower, ...sessions: string[]): Promise<void> {
  channel.send({ revocations: sessions.map((id) => ofSession(id)), snapshotComplete: true });
  await until(() => !follower.isStale());
}

describe('a revocation follower', () => {
  it('knows revoked sessions, and of an account the tokens that were issued before', async () => {
    const { source, follower } = follow();
    const channel = await source.connection();
    await complete(channel, follower, 'one');
    const notBefore = new Date(1_800_000_000_500);
    channel.send({ revocations: [ofAccount('ada', notBefore), ofAccount('ada', new Date(1_700_000_000_000))] });
    await until(() => follower.isRevoked(token('two', 'ada', 1_800_000_000_499)));
    expect(hasSession(follower, 'one')).toBe(true);
    expect(follower.isRevoked(token('two', 'ada', 1_800_000_000_500))).toBe(false);
    expect(follower.isRevoked(token('two', 'grace', 0))).toBe(false);
  });

  it('is stale until the first snapshot is complete', async () => {
    const { source, follower } = follow();
    const channel = await source.connection();
    channel.send({ revocations: [ofSession('one')] });
    await until(() => hasSession(follower, 'one'));
    expect(follower.isStale()).toBe(true);
    await expect(follower.check()).rejects.toThrow('no revocations yet');
    await complete(channel, follower);
    await follower.check();
  });

  it('keeps what it knew until the snapshot after a reconnection is complete, then takes the snapshot instead', async () => {
    const { source, follower } = follow();
    const first = await source.connection();
    await complete(first, follower, 'one');
    first.end(new AppError('unavailable', 'SHUTTING_DOWN', 'bye'));
    const second = await source.connection();
    second.send({ revocations: [ofSession('two')] });
    await until(() => hasSession(follower, 'two'));
    expect(hasSession(follower, 'one')).toBe(true);
    second.send({ snapshotComplete: true, revocations: [ofSession('three')] });
    await until(() => hasSession(follower, 'three'));
    expect([hasSession(follower, 'one'), hasSession(follower, 'two')]).toEqual([false, true]);
  });

  it('keeps what it knew when a snapshot breaks off', async () => {
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

  it('forgets what no token can concern any more', async () => {
    const { source, follower, advance } = follow();
    const channel = await source.connection();
    await complete(channel, follower, 'one');
    channel.send({ revocations: [ofSession('two', new Date(Date.now() + 3_600_000))] });
    await until(() => hasSession(follower, 'two'));
    advance(601_000);
    await until(() => !hasSession(follower, 'one'));
    expect(hasSession(follower, 'two')).toBe(true);
  });

  it('is stale after five seconds of silence, says so once in the log and in the metric, and when it is over too', () => inFakeTime(async () => {
    const { source, follower, told, staleMetric, advance } = follow();
    const channel = await source.connection();
    await complete(channel, follower);
    expect(await staleMetric()).toBe(0);
    advance(4000);
    expect(follower.isStale()).toBe(false);
    advance(1500);
    expect(follower.isStale()).toBe(true);
    jest.advanceTimersByTime(1000);
    expect(told()).toHaveLength(2);
    expect(await staleMetric()).toBe(1);
    channel.send({});
    await until(() => !follower.isStale());
    expect(await staleMetric()).toBe(0);
    expect(told()).toEqual(['revocations are followed', 'revocations are stale; sensitive methods refuse', 'revocations are followed']);
  }));

  it('takes a clock that was set back for staleness', async () => {
    const { source, follower, advance } = follow();
    await complete(await source.connection(), follower);
    advance(-60_000);
    expect(follower.isStale()).toBe(true);
  });

  it('is not made fresh by a reconnection whose snapshot is not complete', async () => {
    const { source, follower, advance } = follow();
    const first = await source.connection();
    await complete(first, follower);
    first.end();
    const second = await source.connection();
    advance(5500);
    second.send({ revocations: [ofSession('one')] });
    await until(() => hasSession(follower, 'one'));
    expect(follower.isStale()).toBe(true);
  });

  it('gives up a connection that has gone silent, and makes another before it is stale', () => inFakeTime(async () => {
    const { source, follower, told } = follow();
    const first = await source.connection();
    await complete(first, follower);
    jest.advanceTimersByTime(3000);
    await first.left;
    expect(follower.isStale()).toBe(false);
    (await source.connection()).send({ revocations: [ofSession('one')], snapshotComplete: true });
    await until(() => hasSession(follower, 'one'));
    expect(told()).toEqual(['revocations are followed']);
  }));

  it('stops at once', async () => {
    const { source, follower } = follow();
    const channel = await source.connection();
    await follower.stop();
    await channel.left;
  });

  it('comes back to a server that was stopped and started again', async () => {
    const { logger } = recordingLogger();
    const source = createSource();
    const server = await serveSource(source);
    const watcher = openWatcher(server.address);
    const follower = createRevocationFollower({ watch: (signal) => watcher.client.watchRevocations({}, { signal }), logger, metrics: createMetrics('tasks') });
    follower.start();
    cleanUps.push(() => watcher.close(), () => follower.stop());
    await complete(await source.connection(), follower, 'one');
    await server.stop();
    const again = await serveSource(source, Number(server.address.split(':').at(-1)));
    cleanUps.push(() => again.stop());
    const channel = await source.connection();
    channel.send({ revocations: [ofSession('one'), ofSession('two')], snapshotComplete: true });
    await until(() => hasSession(follower, 'two'));
    expect(hasSession(follower, 'one')).toBe(true);
  });
});
