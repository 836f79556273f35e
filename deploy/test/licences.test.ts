import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from '@jest/globals';

/** What may be used and passed on with its notice alone, by SPDX id. CC-BY-4.0 is a list of browsers, of jest's. */
const allowed = new Set([
  '0BSD',
  'Apache-2.0',
  'BlueOak-1.0.0',
  'BSD-2-Clause',
  'BSD-3-Clause',
  'CC-BY-4.0',
  'CC0-1.0',
  'ISC',
  'MIT',
  'MIT-0',
  'Python-2.0',
  'Unlicense',
]);

/** Of an SPDX expression without nesting: one alternative, of which every part is allowed. */
const mayBeUsed = (expression = ''): boolean =>
  expression
    .replaceAll(/[()]/g, '')
    .split(' OR ')
    .some((alternative) => alternative.split(' AND ').every((licence) => allowed.has(licence)));

/** They name none or an old name in the lockfile; their files LICENSE are MIT, MIT and BSD-3-Clause. */
const readByHand: readonly string[] = ['node_modules/decko', 'node_modules/stickyfill', 'node_modules/url-template'];

it('every package of the lockfile has a licence on the list', () => {
  const lockfile = readFileSync(join(import.meta.dirname, '../../package-lock.json'), 'utf8');
  const { packages } = JSON.parse(lockfile) as { packages: Record<string, { license?: string }> };
  const unread = Object.entries(packages).filter(([path]) => !readByHand.includes(path));
  const found = unread.map(([path, { license }]) => `${path || 'this project'}: ${license ?? 'none'}`);
  expect(found.filter((each) => !mayBeUsed(each.slice(each.lastIndexOf(': ') + 2)))).toEqual([]);
});

it('judges by alternatives and by parts', () => {
  expect(['(MIT OR GPL-3.0-only)', 'MIT AND GPL-3.0-only', 'GPL-3.0-only', ''].map(mayBeUsed)).toEqual([
    true,
    false,
    false,
    false,
  ]);
});
