import { afterAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { CallError } from '#dev/stubs';
import { registerAccount } from './factories.ts';
import { startAuth } from './start-auth.ts';

const graceMs = 10_000;
const first = await startAuth({ config: { refreshGraceMs: graceMs } });
const replicas = [first, await startAuth({ replicaOf: first })] as const;
afterAll(async () => {
  await replicas[1].stop();
  await first.stop();
});

/** A client that holds a refresh token and keeps the newest one that arrives. */
interface Holder {
  token: string;
}

interface Refresh {
  /** 0 and 1: which replica answers. */
  replica: 0 | 1;
  /** Whether the answer gets lost on its way. */
  lost: boolean;
  /** Time that passes before it. */
  afterMs: number;
}

/** The reason of the refusal; undefined when it was answered, whether or not the answer arrived. */
async function refresh(holder: Holder, { replica, lost, afterMs }: Refresh): Promise<string | undefined> {
  replicas[0].clock.advance(afterMs);
  try {
    const { tokens } = await replicas[replica].auth.refreshSession({ refreshToken: holder.token });
    if (!lost) holder.token = tokens?.refreshToken ?? '';
    return undefined;
  } catch (error) {
    return (error as CallError).reason;
  }
}

const replica = fc.constantFrom<(0 | 1)[]>(0, 1);
const pause = fc.constantFrom(0, graceMs / 3, graceMs, 10 * graceMs, 24 * 3_600_000);
const anyRefresh = fc.record({ replica, lost: fc.boolean(), afterMs: pause });
const lateRefresh = fc.record({ replica, lost: fc.constant(false), afterMs: fc.constantFrom(graceMs, 20 * graceMs) });

/**
 * What the contract says of a token. It looks only at what was presented and answered before.
 */
class Oracle {
  readonly tokens: string[];
  #nowMs = 0;
  #ended = false;
  readonly #issued = new Map<string, { token: string; atMs: number }[]>();

  constructor(first: string) {
    this.tokens = [first];
  }

  /** 'new', a known token, or 'TOKEN_REUSED'. */
  expect(token: string, afterMs: number): string {
    this.#nowMs += afterMs;
    const last = this.#issued.get(token)?.at(-1);
    const wasGivenUp = [...this.#issued.values()].some((of) => of.slice(0, -1).some((issue) => issue.token === token));
    if (this.#ended || wasGivenUp) return this.#end();
    if (last === undefined) return 'new';
    if (this.#nowMs - last.atMs < graceMs) return last.token;
    return this.#issued.has(last.token) ? this.#end() : 'new';
  }

  note(token: string, answer: string): void {
    if (this.tokens.includes(answer)) return;
    this.tokens.push(answer);
    this.#issued.set(token, [...(this.#issued.get(token) ?? []), { token: answer, atMs: this.#nowMs }]);
  }

  #end(): string {
    this.#ended = true;
    return 'TOKEN_REUSED';
  }
}

const signIn = async (): Promise<Holder> => ({ token: (await registerAccount(replicas[0])).tokens.refreshToken });

describe('any sequence of refreshes', () => {
  it('accepts a lone client, whichever answers get lost', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(anyRefresh, { minLength: 1, maxLength: 12 }), async (refreshes) => {
        const client = await signIn();
        for (const step of refreshes) expect(await refresh(client, step)).toBeUndefined();
      }),
      { numRuns: 25 },
    );
  });

  it('handles every token that was ever issued as the contract says', async () => {
    // Gaps that the time of the test itself cannot carry over the edge of the grace window.
    const step = fc.record({ which: fc.nat(), replica, afterMs: fc.constantFrom(0, 0, graceMs, 3 * graceMs) });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 2, maxLength: 12 }), async (steps) => {
        const oracle = new Oracle((await signIn()).token);
        for (const { which, replica, afterMs } of steps) {
          // Prefers the newest tokens.
          const token = oracle.tokens.at(-1 - (which % Math.min(3, oracle.tokens.length))) ?? '';
          const expected = oracle.expect(token, afterMs);
          const holder = { token };
          const reason = await refresh(holder, { replica, lost: false, afterMs });
          const known = oracle.tokens.includes(holder.token);
          expect(reason ?? (known ? holder.token : 'new')).toBe(expected);
          if (reason === undefined) oracle.note(token, holder.token);
        }
      }),
      { numRuns: 40 },
    );
  });

  it('detects a theft once both have used their tokens, and refuses both from then on', async () => {
    const steps = fc.array(
      fc.record({ who: fc.constantFrom<('client' | 'thief')[]>('client', 'thief'), step: lateRefresh }),
      { maxLength: 8 },
    );
    await fc.assert(
      fc.asyncProperty(fc.array(anyRefresh, { maxLength: 4 }), steps, async (before, after) => {
        const holders = { client: await signIn(), thief: { token: '' } };
        for (const step of before) await refresh(holders.client, step);
        holders.thief.token = holders.client.token;
        // Both hold the same token. The second to use it, or its successor, reveals the theft.
        let last: string | undefined;
        let changes = 0;
        for (const { who, step } of after) {
          if (last !== who) changes += 1;
          last = who;
          const reason = await refresh(holders[who], step);
          // After one, the other, and the first again the session has ended.
          if (changes >= 3) expect(reason).toBe('TOKEN_REUSED');
        }
        if (changes < 3) return;
        for (const holder of Object.values(holders))
          expect(await refresh(holder, { replica: 0, lost: false, afterMs: 0 })).toBe('TOKEN_REUSED');
      }),
      { numRuns: 25 },
    );
  });
});
