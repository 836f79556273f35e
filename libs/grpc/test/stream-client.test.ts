import { describe, expect, it } from '@jest/globals';
import { AppError } from '#libs/errors';
import { runInBackground, runInsideTransaction } from '#libs/runtime';
import { recordingLogger } from './cluster.ts';
import { createSource, ofSession, openWatcher, serveSource } from './revocation-source.ts';
import { stopAfterEach } from '../../dev/testing/src/stop-after-each.ts';

const afterTest = stopAfterEach();

async function start() {
  const source = createSource();
  const server = await serveSource(source);
  const watcher = openWatcher(server.address);
  afterTest(() => server.stop());
  afterTest(() => watcher.close());
  return { source, server, watcher };
}

async function collect<T>(messages: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const message of messages) all.push(message);
  return all;
}

const refusal = (messages: AsyncIterable<unknown>): Promise<unknown> =>
  collect(messages).then(
    () => 'it ended',
    (error: unknown) => (error instanceof AppError ? [error.kind, error.reason] : error),
  );

describe('a server stream', () => {
  it('gives every message in order, proves the calling service, and ends as the callee ends it', async () => {
    const { source, server, watcher } = await start();
    const messages = collect(watcher.client.watchRevocations({}));
    const channel = await source.connection();
    const sent = ['a', 'b', 'c'].map((id) => ({ revocations: [ofSession(id)], snapshotComplete: id === 'b' }));
    sent.forEach(channel.send);
    channel.end();
    expect(await messages).toEqual(sent);
    expect(server.lines).toContainEqual(
      expect.objectContaining({
        method: '/taskflow.auth.v1.InternalAuthService/WatchRevocations',
        caller: 'tasks',
        code: 'OK',
      }),
    );
  });

  it('ends without an error when its signal fires, also at the callee', async () => {
    const { source, watcher } = await start();
    const stop = new AbortController();
    const messages = collect(watcher.client.watchRevocations({}, { signal: stop.signal }));
    const channel = await source.connection();
    channel.send({ snapshotComplete: true });
    stop.abort();
    await messages;
    await channel.left;
    expect(await collect(watcher.client.watchRevocations({}, { signal: stop.signal }))).toEqual([]);
  });

  it('is ended by leaving the loop', async () => {
    const { source, watcher } = await start();
    const coming = source.connection().then((channel) => (channel.send({ snapshotComplete: true }), channel));
    for await (const message of watcher.client.watchRevocations({})) {
      expect(message.snapshotComplete).toBe(true);
      break;
    }
    await (
      await coming
    ).left;
  });

  it('throws the error of the callee before the first message', async () => {
    const { source, watcher } = await start();
    const refuse = (): Error => new AppError('unavailable', 'DATABASE_UNAVAILABLE', 'the database is away');
    const never = refusal(watcher.client.watchRevocations({}));
    // grpc-js retries UNAVAILABLE before the first message.
    for (let attempt = 0; attempt < 4; attempt += 1) void source.connection().then((channel) => channel.end(refuse()));
    expect(await never).toEqual(['unavailable', 'DATABASE_UNAVAILABLE']);
  });

  it('that breaks after it began is not repeated', async () => {
    const { source, watcher } = await start();
    const broken = refusal(watcher.client.watchRevocations({}));
    const channel = await source.connection();
    channel.send({ snapshotComplete: true });
    channel.end(new AppError('unavailable', 'SHUTTING_DOWN', 'bye'));
    expect(await broken).toEqual(['unavailable', 'SHUTTING_DOWN']);
  });

  it('has a deadline', async () => {
    const { source, watcher } = await start();
    void source.connection().then((channel) => channel.send({ snapshotComplete: true }));
    expect(await refusal(watcher.client.watchRevocations({}, { timeoutMs: 200 }))).toEqual([
      'deadline_exceeded',
      'DEADLINE_EXCEEDED',
    ]);
  });

  it('ends with the call that it is made for', async () => {
    const { source, watcher } = await start();
    const caller = new AbortController();
    const options = { name: 'test', logger: recordingLogger().logger, timeoutMs: 5000, signal: caller.signal };
    const running = runInBackground(options, () => refusal(watcher.client.watchRevocations({})));
    const channel = await source.connection();
    channel.send({ snapshotComplete: true });
    caller.abort();
    expect(await running).toEqual(['cancelled', 'CANCELLED']);
    await channel.left;
  });

  it('is refused inside a transaction', async () => {
    const { watcher } = await start();
    await expect(runInsideTransaction(() => collect(watcher.client.watchRevocations({})))).rejects.toThrow(
      'transaction',
    );
  });

  it('without a server fails, and opens the breaker when it keeps failing', async () => {
    const watcher = openWatcher('127.0.0.1:1');
    afterTest(() => watcher.close());
    expect(await refusal(watcher.client.watchRevocations({}))).toEqual(['unavailable', 'DEPENDENCY_UNAVAILABLE']);
    for (let attempt = 0; attempt < 15; attempt += 1) await refusal(watcher.client.watchRevocations({}));
    expect(await refusal(watcher.client.watchRevocations({}))).toEqual(['unavailable', 'CIRCUIT_OPEN']);
  });
});
