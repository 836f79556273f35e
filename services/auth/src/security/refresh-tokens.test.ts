import { randomBytes } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { createRefreshTokens } from './refresh-tokens.ts';

const encryptionKey = randomBytes(32);
const tokens = createRefreshTokens(encryptionKey);

describe('refresh tokens', () => {
  it('carry 256 bits and never come twice', () => {
    const created = Array.from({ length: 100 }, () => tokens.create());
    expect(new Set(created).size).toBe(100);
    for (const token of created) expect(Buffer.from(token.slice('tfr_'.length), 'base64url')).toHaveLength(32);
  });

  it('have one successor, the same in every replica', () => {
    const token = tokens.create();
    expect(createRefreshTokens(encryptionKey).successorOf(token)).toBe(tokens.successorOf(token));
  });

  it('have a successor that cannot be told without the key', () => {
    const token = tokens.create();
    expect(createRefreshTokens(randomBytes(32)).successorOf(token)).not.toBe(tokens.successorOf(token));
  });

  it('do not come back to themselves along the chain', () => {
    const chain = [tokens.create()];
    for (let step = 0; step < 50; step += 1) chain.push(tokens.successorOf(chain.at(-1) ?? ''));
    expect(new Set(chain).size).toBe(51);
  });
});
