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

/** May be used to build and test, unchanged; nothing of it may be passed on with TaskFlow. */
const allowedInTools = new Set([...allowed, 'MPL-2.0']);

/** Of an SPDX expression without nesting: one alternative, of which every part is allowed. */
const mayBeUsed = (expression = '', among: ReadonlySet<string> = allowed): boolean =>
  expression
    .replaceAll(/[()]/g, '')
    .split(' OR ')
    .some((alternative) => alternative.split(' AND ').every((licence) => among.has(licence)));

/** They name none or an old name in the lockfile; their files LICENSE are MIT, MIT and BSD-3-Clause. */
const readByHand: readonly string[] = ['node_modules/decko', 'node_modules/stickyfill', 'node_modules/url-template'];

it('every package of the lockfile has a licence on the list', () => {
  const lockfile = readFileSync(join(import.meta.dirname, '../../package-lock.json'), 'utf8');
  const { packages } = JSON.parse(lockfile) as { packages: Record<string, { license?: string; dev?: boolean }> };
  const unread = Object.entries(packages).filter(([path]) => !readByHand.includes(path));
  const refused = unread.filter(([, { license, dev }]) => !mayBeUsed(license, dev === true ? allowedInTools : allowed));
  expect(refused.map(([path, { license }]) => `${path || 'this project'}: ${license ?? 'none'}`)).toEqual([]);
});

it('judges by alternatives and by parts', () => {
  expect(['(MIT OR GPL-3.0-only)', 'MIT AND GPL-3.0-only', 'GPL-3.0-only', ''].map((one) => mayBeUsed(one))).toEqual([
    true,
    false,
    false,
    false,
  ]);
});
