import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { Account } from './account.entity.ts';

const createAccount = (now: Date): Account =>
  Account.create(
    { id: crypto.randomUUID(), email: 'ada@example.com', passwordHash: '', role: 'user', registeredName: 'Ada' },
    now,
  );

/** As a token carries it: full seconds. */
const issuedAt = (account: Account, now: Date): number =>
  Math.floor(account.tokenIssueTime(now).getTime() / 1000) * 1000;
const notBefore = ({ tokensNotBefore }: Account): number => tokensNotBefore?.getTime() ?? 0;

const startTime = Date.UTC(2026, 0, 1);
// A step is a change of the role or a new token, some time after the one before, on a replica whose clock is off by up
// to half a second in either direction.
const step = fc.record({
  isChange: fc.boolean(),
  afterMs: fc.integer({ min: 0, max: 1500 }),
  clockMs: fc.integer({ min: -500, max: 500 }),
});

describe('the times of tokens', () => {
  it('separate tokens before the last change from those after it, for fast changes and differing clocks', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
        const account = createAccount(new Date(startTime));
        const tokens: number[] = [];
        let time = startTime;
        for (const { isChange, afterMs, clockMs } of steps) {
          time += afterMs;
          const now = new Date(time + clockMs);
          if (isChange) account.setRole(account.role === 'admin' ? 'user' : 'admin', now);
          else tokens.push(issuedAt(account, now));
          if (isChange) expect(tokens.every((token) => token < notBefore(account))).toBe(true);
          else expect(tokens.at(-1)).toBeGreaterThanOrEqual(notBefore(account));
        }
      }),
    );
  });

  it('stay close to the real time', () => {
    const account = createAccount(new Date(startTime));
    account.disable(new Date(startTime));
    expect(notBefore(account) - startTime).toBeLessThanOrEqual(2000);
    expect(notBefore(account) % 1000).toBe(0);
  });
});
