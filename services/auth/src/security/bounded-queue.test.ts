import { describe, expect, it } from '@jest/globals';
import { createBoundedQueue } from './bounded-queue.ts';

const full = new Error('full');
const createQueue = (concurrency: number, maxWaiting: number) =>
  createBoundedQueue({ concurrency, maxWaiting, refusal: () => full });

describe('bounded queue', () => {
  it('runs a limited number of tasks at once, the others in order of arrival', async () => {
    const queue = createQueue(2, 10);
    const releases = Array.from({ length: 4 }, () => Promise.withResolvers<void>());
    const started: number[] = [];
    const ends = releases.map((release, index) =>
      queue.run(() => {
        started.push(index);
        return release.promise;
      }),
    );
    expect(started).toEqual([0, 1]);
    releases[1]?.resolve();
    await ends[1];
    expect(started).toEqual([0, 1, 2]);
    releases.forEach((release) => release.resolve());
    await Promise.all(ends);
    expect(started).toEqual([0, 1, 2, 3]);
  });

  it('refuses a task at once when too many are waiting', async () => {
    const queue = createQueue(1, 1);
    const release = Promise.withResolvers<void>();
    const accepted = [queue.run(() => release.promise), queue.run(() => release.promise)];
    await expect(queue.run(() => release.promise)).rejects.toBe(full);
    release.resolve();
    await Promise.all(accepted);
  });

  it('goes on after a task that failed', async () => {
    const queue = createQueue(1, 1);
    await expect(queue.run(() => Promise.reject(new Error('broken')))).rejects.toThrow('broken');
    await expect(queue.run(() => Promise.resolve('done'))).resolves.toBe('done');
  });

  it('drops a task whose caller gave up while it waited', async () => {
    const queue = createQueue(1, 1);
    const release = Promise.withResolvers<void>();
    const first = queue.run(() => release.promise);
    const caller = new AbortController();
    const abandoned = queue.run(() => Promise.resolve('never'), { signal: caller.signal });
    caller.abort(new Error('gave up'));
    await expect(abandoned).rejects.toThrow('gave up');
    const next = queue.run(() => Promise.resolve('served'));
    release.resolve();
    await first;
    await expect(next).resolves.toBe('served');
  });

  it('refuses a task at once that would outlast its deadline at the present pace', async () => {
    let time = 0;
    const queue = createBoundedQueue({ concurrency: 1, maxWaiting: 10, refusal: () => full, now: () => time });
    await queue.run(async () => void (time += 100));
    const release = Promise.withResolvers<void>();
    const first = queue.run(() => release.promise);
    // A wait of 100 ms and 100 ms of its own, and as much again to be sure.
    await expect(queue.run(() => Promise.resolve(), { withinMs: 399 })).rejects.toBe(full);
    const served = queue.run(() => Promise.resolve('served'), { withinMs: 400 });
    await expect(queue.run(() => Promise.resolve(), { withinMs: 400 })).rejects.toBe(full);
    release.resolve();
    await first;
    await expect(served).resolves.toBe('served');
  });
});
