import { afterEach, describe, expect, it } from '@jest/globals';
import {
  createConcurrencyLimiter,
  defaultCapacity,
  type ConcurrencyLimiter,
  type Capacity,
  type Eviction,
  type Permit,
} from './concurrency-limiter.ts';

let limiter: ConcurrencyLimiter;
afterEach(() => limiter.stop());

/** A limiter with recorded counts and evictions. */
function open(capacity: Partial<Capacity>) {
  const counts: Record<string, number> = {};
  limiter = createConcurrencyLimiter({ ...defaultCapacity, ...capacity }, (kind, count) => (counts[kind] = count));
  const evicted: [peer: string, why: Eviction][] = [];
  const enter = (peer: string, whole = false) =>
    limiter.acquire({ stream: false, peer, whole, evict: (why) => evicted.push([peer, why]) });
  const enterNow = (peer: string): Permit => {
    const permit = enter(peer);
    if (permit === undefined) throw new Error('there is no room');
    return permit;
  };
  return { enter, enterNow, evicted, counts };
}

describe('the concurrency limiter', () => {
  it('counts a call from the arrival of its request, and frees its place once', () => {
    const { enter, counts } = open({ unfinishedCalls: 1 });
    const first = enter('a');
    expect(counts).toEqual({ incomplete: 1 });
    expect(first?.complete()).toBe(true);
    expect(counts).toEqual({ incomplete: 0, calls: 1 });
    expect(enter('b')).toBeUndefined();
    first?.release();
    first?.release();
    expect(counts).toEqual({ incomplete: 0, calls: 0 });
    expect(enter('b')).toBeDefined();
  });

  it('refuses a request whose place others have taken before it was complete', () => {
    const { enter, counts } = open({ unfinishedCalls: 1 });
    const [first, second] = [enter('a'), enter('b')];
    expect([first?.complete(), second?.complete()]).toEqual([true, false]);
    second?.release();
    expect(counts).toEqual({ incomplete: 0, calls: 1 });
  });

  it('gives a complete request its place at once, even when the incomplete ones are at their limit', () => {
    const { enter, counts } = open({ unfinishedCalls: 2, incompleteRequests: 1 });
    enter('greedy');
    const [first, second, third] = ['a', 'b', 'c'].map((peer) => enter(peer, true));
    expect([first?.complete(), second?.complete(), third]).toEqual([true, true, undefined]);
    expect(counts).toEqual({ incomplete: 1, calls: 2 });
    first?.release();
    first?.release();
    expect(counts).toEqual({ incomplete: 1, calls: 1 });
  });

  it('evicts the oldest request of the connection with the most incomplete ones', () => {
    const { enter, evicted, counts } = open({ incompleteRequests: 4 });
    for (const peer of ['greedy', 'greedy', 'greedy', 'modest']) expect(enter(peer)).toBeDefined();
    expect(enter('another')).toBeDefined();
    expect(evicted).toEqual([['greedy', 'displaced']]);
    expect(counts).toEqual({ incomplete: 4 });
  });

  it('refuses the next request of a connection that already holds the maximum', () => {
    const { enter, evicted } = open({ incompleteRequests: 3 });
    for (const peer of ['greedy', 'greedy', 'modest']) enter(peer);
    expect(enter('greedy')).toBeUndefined();
    expect(limiter.hasRoom({ stream: false, peer: 'greedy', whole: false })).toBe(false);
    expect(limiter.hasRoom({ stream: false, peer: 'another', whole: false })).toBe(true);
    expect(evicted).toEqual([]);
  });

  it('evicts the largest request of the connection that holds most, when all together are too large', () => {
    const { enterNow, evicted, counts } = open({ requestBytes: 100 });
    const [modest, small, large] = [enterNow('modest'), enterNow('greedy'), enterNow('greedy')];
    expect([modest.receive(30), small.receive(20), large.receive(30)]).toEqual([true, true, true]);
    expect(modest.receive(10)).toBe(true);
    expect(small.receive(9)).toBe(true);
    expect(evicted).toEqual([]);
    expect(modest.receive(2)).toBe(true);
    expect(evicted).toEqual([['greedy', 'displaced']]);
    expect([large.receive(1), large.complete(), small.complete()]).toEqual([false, false, true]);
    expect(counts).toEqual({ incomplete: 1, calls: 1, bytes: 71 });
    for (const permit of [modest, small, large]) permit.release();
    expect(counts).toEqual({ incomplete: 0, calls: 0, bytes: 0 });
  });

  it('counts the bytes of a request until its call is over, and evicts only what is still arriving', () => {
    const { enterNow, evicted, counts } = open({ requestBytes: 100 });
    const running = enterNow('a');
    running.receive(90);
    running.complete();
    const next = enterNow('b');
    expect(next.receive(11)).toBe(false);
    expect(evicted).toEqual([['b', 'displaced']]);
    expect(counts).toEqual({ incomplete: 0, calls: 1, bytes: 90 });
    running.release();
    expect(counts).toEqual({ incomplete: 0, calls: 0, bytes: 0 });
    expect(enterNow('b').receive(100)).toBe(true);
  });
});
