import { afterEach } from '@jest/globals';

/** Returns a function that registers what to stop after the current test. The last is stopped first. */
export function stopAfterEach(): (stop: () => unknown) => void {
  const stops: (() => unknown)[] = [];
  afterEach(async () => {
    for (const stop of stops.splice(0).reverse()) await stop();
  });
  return (stop) => void stops.push(stop);
}
