import { expect, it } from '@jest/globals';
import { lastPosition, positionBetween, spreadBetween } from './task-position.ts';

/** The same numbers each time. */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => (state = (state * 48_271) % 2_147_483_647) / 2_147_483_647;
}

it.each([1, 2, 3])('a position stands between its neighbours, wherever tasks are moved and created, %i', (seed) => {
  const random = randomFrom(seed);
  const positions = [lastPosition(1n), lastPosition(2n), lastPosition(3n)];
  let number = 3n;
  for (let round = 0; round < 2000; round += 1) {
    if (random() < 0.1) {
      positions.push(lastPosition((number += 1n)));
    } else {
      // Often at the same place, so that positions grow.
      const place = random() < 0.5 ? Math.min(3, positions.length) : Math.floor(random() * (positions.length + 1));
      const after = positions[place] ?? lastPosition(number + 1n);
      positions.splice(place, 0, positionBetween(positions[place - 1] ?? '', after));
    }
  }
  expect(positions).toEqual(positions.toSorted((one, other) => (one < other ? -1 : 1)));
  expect(new Set(positions).size).toBe(positions.length);
});

it('positions that are spread stand in their order between the others, and are short', () => {
  for (const [before, after] of [
    ['', lastPosition(1n)],
    [lastPosition(1n), lastPosition(2n)],
    [lastPosition(1n), `${lastPosition(1n)}1`],
  ] as const)
    for (const count of [0, 1, 2, 3, 100, 1000]) {
      const positions = spreadBetween(before, after, count);
      expect(positions).toHaveLength(count);
      const all = [before, ...positions, after];
      expect(all).toEqual([...new Set(all)].toSorted((one, other) => (one < other ? -1 : 1)));
      expect(Math.max(0, ...positions.map(({ length }) => length))).toBeLessThan(24);
    }
});
