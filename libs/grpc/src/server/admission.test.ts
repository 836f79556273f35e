import { afterEach, describe, expect, it } from '@jest/globals';
import { createAdmission, defaultCapacity, type Admission, type Capacity, type Expulsion } from './admission.ts';

let admission: Admission;
afterEach(() => admission.stop());

/** Enters and notes what became of it. */
function open(capacity: Partial<Capacity>) {
  const counts: Record<string, number> = {};
  admission = createAdmission({ ...defaultCapacity, ...capacity }, (kind, count) => (counts[kind] = count));
  const expelled: [peer: string, why: Expulsion][] = [];
  const enter = (peer: string, whole = false) => admission.enter({ stream: false, peer, whole, expel: (why) => expelled.push([peer, why]) });
  return { enter, expelled, counts };
}

describe('admission', () => {
  it('counts a call from the arrival of its request, and gives its place back once', () => {
    const { enter, counts } = open({ unfinishedCalls: 1 });
    const first = enter('a');
    expect(counts).toEqual({ incomplete: 1 });
    expect(first?.complete()).toBe(true);
    expect(counts).toEqual({ incomplete: 0, calls: 1 });
    expect(enter('b')).toBeUndefined();
    first?.leave();
    first?.leave();
    expect(counts).toEqual({ incomplete: 0, calls: 0 });
    expect(enter('b')).toBeDefined();
  });

  it('refuses a request that is complete when others have taken the last place meanwhile', () => {
    const { enter, counts } = open({ unfinishedCalls: 1 });
    const [first, second] = [enter('a'), enter('b')];
    expect([first?.complete(), second?.complete()]).toEqual([true, false]);
    second?.leave();
    expect(counts).toEqual({ incomplete: 0, calls: 1 });
  });

  it('gives a call whose request is there already its place at once, also when no other request may arrive', () => {
    const { enter, counts } = open({ unfinishedCalls: 2, incompleteRequests: 1 });
    enter('greedy');
    const [first, second, third] = ['a', 'b', 'c'].map((peer) => enter(peer, true));
    expect([first?.complete(), second?.complete(), third]).toEqual([true, true, undefined]);
    expect(counts).toEqual({ incomplete: 1, calls: 2 });
    first?.leave();
    first?.leave();
    expect(counts).toEqual({ incomplete: 1, calls: 1 });
  });

  it('lets the connection with most incomplete requests make room for the others, oldest first', () => {
    const { enter, expelled, counts } = open({ incompleteRequests: 4 });
    for (const peer of ['greedy', 'greedy', 'greedy', 'modest']) expect(enter(peer)).toBeDefined();
    expect(enter('newcomer')).toBeDefined();
    expect(expelled).toEqual([['greedy', 'crowded']]);
    expect(counts).toEqual({ incomplete: 4 });
  });

  it('refuses the next request of the connection that takes up the room itself', () => {
    const { enter, expelled } = open({ incompleteRequests: 3 });
    for (const peer of ['greedy', 'greedy', 'modest']) enter(peer);
    expect(enter('greedy')).toBeUndefined();
    expect(admission.hasRoom({ stream: false, peer: 'greedy', whole: false })).toBe(false);
    expect(admission.hasRoom({ stream: false, peer: 'newcomer', whole: false })).toBe(true);
    expect(expelled).toEqual([]);
  });
});
