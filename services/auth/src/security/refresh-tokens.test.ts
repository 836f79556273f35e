import { randomBytes } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { createRefreshTokens } from './refresh-tokens.ts';

const encryptionKey = randomBytes(32);
const tokens = createRefreshTokens([encryptionKey]);

describe('refresh tokens', () => {
  it('carry 256 bits and never come twice', () => {
    const created = Array.from({ length: 100 }, () => tokens.create());
    expect(new Set(created).size).toBe(100);
    for (const token of created) expect(Buffer.from(token.slice('tfr_'.length), 'base64url')).toHaveLength(32);
  });

  it('have one successor, the same in every replica', () => {
    const token = tokens.create();
    expect(tokens.successorsOf(token, 1)).toHaveLength(1);
    expect(createRefreshTokens([encryptionKey]).successorsOf(token, 1)).toEqual(tokens.successorsOf(token, 1));
  });

  it('have a successor for each key, the newest key first, while the key is being replaced', () => {
    const [token, newer] = [tokens.create(), randomBytes(32)];
    expect(createRefreshTokens([newer, encryptionKey]).successorsOf(token, 1)).toEqual([
      ...createRefreshTokens([newer]).successorsOf(token, 1),
      ...tokens.successorsOf(token, 1),
    ]);
  });

  it('have a successor that cannot be computed without the key', () => {
    const token = tokens.create();
    expect(createRefreshTokens([randomBytes(32)]).successorsOf(token, 1)).not.toEqual(tokens.successorsOf(token, 1));
  });

  it('have another successor at each attempt', () => {
    const token = tokens.create();
    expect(new Set([1, 2, 3].flatMap((attempt) => tokens.successorsOf(token, attempt))).size).toBe(3);
  });

  it('do not come back to themselves along the chain', () => {
    const chain = [tokens.create()];
    for (let step = 0; step < 50; step += 1) chain.push(tokens.successorsOf(chain.at(-1) ?? '', 1)[0]);
    expect(new Set(chain).size).toBe(51);
  });
});
