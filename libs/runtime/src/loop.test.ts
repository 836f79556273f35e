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

it('pauses as short as a run asks for', async () => {
  let runs = 0;
  const second = Promise.withResolvers<void>();
  const run = async (): Promise<{ again: boolean; pauseMs: number }> => {
    runs += 1;
    if (runs === 2) second.resolve();
    return { again: false, pauseMs: 1 };
  };
  const loop = startLoop({ name: 'test', logger, intervalMs: 3_600_000, run });
  await second.promise;
  await loop.stop();
  expect(runs).toBeGreaterThanOrEqual(2);
});

it('is nudged out of a pause, but not out of the pause after a failure', async () => {
  let runs = 0;
  const ran = [1, 2, 3].map(() => Promise.withResolvers<void>());
  const run = async (): Promise<void> => {
    ran[runs]?.resolve();
    runs += 1;
    if (runs === 2) throw new Error('once');
  };
  const loop = startLoop({ name: 'test', logger, intervalMs: 3_600_000, maxBackoffMs: 3_600_000, run });
  await ran[0]?.promise;
  loop.nudge();
  await ran[1]?.promise;
  await new Promise(setImmediate);
  loop.nudge();
  await new Promise(setImmediate);
  expect(runs).toBe(2);
  loop.wake();
  await ran[2]?.promise;
  await loop.stop();
  expect(runs).toBe(3);
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
