import { getEventListeners } from 'node:events';
import { describe, expect, it } from '@jest/globals';
import { createWakeableSleep, sleep } from './sleep.ts';
import { settlesWithin } from './time-limit.ts';

const longMs = 2 ** 40;

describe('sleeping', () => {
  it('ends early, without an error, when the signal fires', async () => {
    const stop = new AbortController();
    const sleeping = sleep(longMs, stop.signal);
    stop.abort();
    await sleeping;
    await sleep(longMs, stop.signal);
    expect(stop.signal.aborted).toBe(true);
  });

  it('ends when somebody wakes the sleeper, and can begin again', async () => {
    const { sleep: pause, wake } = createWakeableSleep();
    wake();
    for (let round = 0; round < 2; round += 1) {
      const sleeping = pause(longMs);
      wake();
      await sleeping;
    }
    expect(await settlesWithin(pause(1), 60_000)).toBe(true);
  });

  it('leaves nothing behind on a signal that never fires', async () => {
    const stop = new AbortController();
    const { sleep: pause, wake } = createWakeableSleep();
    const sleeping = pause(longMs, stop.signal);
    wake();
    await sleeping;
    expect(getEventListeners(stop.signal, 'abort')).toEqual([]);
  });
});
