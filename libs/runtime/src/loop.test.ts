import { expect, it } from '@jest/globals';
import { createLogger } from './logger.ts';
import { startLoop } from './loop.ts';

const logger = createLogger({ service: 'test', level: 'fatal' });

it('goes on after a failing run', async () => {
  let runs = 0;
  const twice = Promise.withResolvers<void>();
  const loop = startLoop({
    name: 'test',
    logger,
    intervalMs: 1,
    run: async () => {
      runs += 1;
      if (runs === 2) twice.resolve();
      throw new Error('always');
    },
  });
  await twice.promise;
  await loop.stop();
  expect(runs).toBeGreaterThanOrEqual(2);
});

it('runs at once when woken, however long the pause', async () => {
  let runs = 0;
  const second = Promise.withResolvers<void>();
  const first = Promise.withResolvers<void>();
  const loop = startLoop({
    name: 'test',
    logger,
    intervalMs: 3_600_000,
    run: async () => {
      runs += 1;
      if (runs === 1) first.resolve();
      else second.resolve();
    },
  });
  await first.promise;
  loop.wake();
  await second.promise;
  await loop.stop();
  expect(runs).toBe(2);
});

it('fires the signal of a running run when stopped, and waits for its end', async () => {
  const started = Promise.withResolvers<void>();
  let ended = false;
  const loop = startLoop({
    name: 'test',
    logger,
    intervalMs: 1,
    run: (signal) =>
      new Promise<void>((resolve) => {
        started.resolve();
        signal.addEventListener('abort', () => {
          ended = true;
          resolve();
        });
      }),
  });
  await started.promise;
  await loop.stop();
  expect(ended).toBe(true);
});
