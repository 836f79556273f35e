import { randomBytes } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { createPageTokens, type JsonValue, type PageScope } from '#libs/db';

const scope: PageScope = { caller: 'user-1', method: 'ListTasks', filter: { statuses: ['A', 'B'], priority: null } };
const invalid = expect.objectContaining({
  kind: 'invalid_argument',
  reason: 'PAGE_TOKEN_INVALID',
  details: { violations: [expect.objectContaining({ field: 'page_token' })] },
});

describe('a page token', () => {
  const tokens = createPageTokens([randomBytes(32)]);
  const position = ['2026-01-02T03:04:05.006Z', 'id-é'];
  const token = tokens.seal(position, scope);

  it('gives its position back to its owner', () => {
    expect(tokens.open(token, scope)).toEqual(position);
  });

  it('stands for the first page when empty', () => {
    expect(tokens.open('', scope)).toBeUndefined();
  });

  it('does not depend on the order of keys in the filter', () => {
    expect(tokens.open(token, { ...scope, filter: { priority: null, statuses: ['A', 'B'] } })).toEqual(position);
  });

  it.each<[string, Partial<PageScope>]>([
    ['caller', { caller: 'user-2' }],
    ['method', { method: 'ListUsers' }],
    ['filter', { filter: { statuses: ['A'], priority: null } }],
    ['order of values in the filter', { filter: { statuses: ['B', 'A'], priority: null } }],
  ])('is worth nothing with another %s', (_, other) => {
    expect(() => tokens.open(token, { ...scope, ...other })).toThrow(invalid);
  });

  it('is worth nothing when damaged anywhere', () => {
    const bytes = Buffer.from(token, 'base64url');
    for (let index = 0; index < bytes.length; index += 1) {
      const damaged = Buffer.from(bytes);
      damaged[index] = (damaged[index] as number) ^ 1;
      expect(() => tokens.open(damaged.toString('base64url'), scope)).toThrow(invalid);
    }
    for (const bad of ['x', token.slice(0, 20), '💥', 'A'.repeat(5000)])
      expect(() => tokens.open(bad, scope)).toThrow(invalid);
  });

  it('has one spelling only', () => {
    // 1, 2 and 3 bytes in the last group of the encoding, so that its last character has unused bits or none.
    for (const value of ['a', 'ab', 'abc']) {
      const sealed = tokens.seal(value, scope);
      const others = [...'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'].map(
        (last) => sealed.slice(0, -1) + last,
      );
      const spellings = [
        ...others,
        `${sealed}=`,
        `${sealed}==`,
        ` ${sealed}`,
        `${sealed}\n`,
        `${sealed.slice(0, 9)} ${sealed.slice(9)}`,
        `${sealed}.`,
      ];
      for (const spelling of spellings.filter((text) => text !== sealed))
        expect(() => tokens.open(spelling, scope)).toThrow(invalid);
    }
    const withBoth =
      Array.from({ length: 50 }, () => tokens.seal(position, scope)).find((text) => /-/.test(text) && /_/.test(text)) ??
      '';
    expect(() => tokens.open(withBoth.replaceAll('-', '+').replaceAll('_', '/'), scope)).toThrow(invalid);
  });

  it('is worth nothing under another key, and shows nothing of its position', () => {
    expect(() => createPageTokens([randomBytes(32)]).open(token, scope)).toThrow(invalid);
    expect(Buffer.from(token, 'base64url').toString('latin1')).not.toContain('2026');
  });

  it('carries any JSON', () => {
    const values: JsonValue[] = [0, '', null, [], { a: [1, { b: false }] }];
    expect(values.map((value) => tokens.open(tokens.seal(value, scope), scope))).toEqual(values);
  });
});
