import { describe, expect, it } from '@jest/globals';
import { hashOf, judgeMigrations, type MigrationFacts } from '../check/judge-migrations.ts';
import { expanding, refused, releasedSchema } from './fixture/statements.ts';

const step = (name: string, text: string | string[], more: Partial<MigrationFacts> = {}): MigrationFacts => {
  return { name, texts: [text].flat(), transactional: true, completes: undefined, smallTables: [], ...more };
};
const initial = step('0001-initial', [...releasedSchema]);
const released = { '0001-initial': hashOf(initial) };
const judge = (...news: MigrationFacts[]): string[] => judgeMigrations([initial, ...news], released);
/** The kinds of objections to one new migration. */
const kindsOf = (text: string | string[], more: Partial<MigrationFacts> = {}): string[] =>
  judge(step('0002-next', text, more)).map(
    (line) => /(contracts|rewrites|locks|unknown|cannot run|cannot be repeated|one statement)/.exec(line)?.[1] ?? line,
  );

const twin = (text: string) => text.replaceAll('things', 'novelties');
const novelties = twin(initial.texts[0] ?? '');

describe('a statement about a released table', () => {
  it.each(expanding)('expands: %s', (text) => expect(kindsOf(text)).toEqual([]));

  it.each(refused)('is refused: %s', (text, ...kinds) => expect(kindsOf(text)).toEqual(kinds));
});

describe('a table that is not released yet', () => {
  it.each([
    'alter table things drop column colour',
    'create unique index again on things (size)',
    'alter table things alter colour set not null',
    'update things set size = 1',
    'lock table things',
    'drop table things',
    'alter table things rename to objects',
  ])('may be treated as one likes: %s', (text) =>
    expect(judge(step('0002-novelties', novelties), step('0003-next', twin(text)))).toEqual([]),
  );
});

describe('a mark', () => {
  it('lets the second half of a pair take away what a released migration has made needless', () => {
    expect(kindsOf('alter table things drop column colour', { completes: '0001-initial' })).toEqual([]);
    expect(
      judge(
        step('0002-more', 'alter table things add hue int'),
        step('0003-less', 'alter table things drop column colour', { completes: '0002-more' }),
      ),
    ).toEqual(['0003-less: completes 0002-more, which is not released: both halves would come with one release']);
  });

  it('does not excuse what locks or rewrites, which small tables may', () => {
    expect(kindsOf('alter table things alter size type bigint', { completes: '0001-initial' })).toEqual(['rewrites']);
    expect(
      kindsOf('alter table things alter size type bigint', { completes: '0001-initial', smallTables: ['things'] }),
    ).toEqual([]);
    expect(kindsOf('update things set size = 1', { smallTables: ['owners'] })).toEqual(['rewrites']);
    expect(kindsOf('do $$ begin end $$', { completes: '0001-initial', smallTables: ['things'] })).toEqual(['unknown']);
  });

  it('lets a column become NOT NULL after a check of it was validated in a migration of its own', () => {
    const completes = '0001-initial';
    const add = step('0002-check', 'alter table things add constraint coloured check (colour is not null) not valid', {
      completes,
    });
    const validate = step('0003-validate', 'alter table things validate constraint coloured');
    const set = step('0004-set', 'alter table things alter colour set not null, drop constraint coloured', {
      completes,
    });
    expect(judge(add, validate, set)).toEqual([]);
    expect(judge(add, set)).toEqual([
      expect.stringContaining(
        '0004-set: "alter table things alter colour set not null, drop constraint coloured" locks',
      ),
    ]);
  });
});

describe('an index that is built beside writers', () => {
  const concurrent = { transactional: false };
  it('stands outside of a transaction, alone and repeatable', () => {
    expect(kindsOf('create index concurrently if not exists sizes on things (size)', concurrent)).toEqual([]);
    expect(
      kindsOf(
        [
          'drop index concurrently if exists things_colour',
          'create index concurrently if not exists sizes on things (size)',
        ],
        concurrent,
      ),
    ).toEqual([]);
    expect(kindsOf('create index concurrently if not exists sizes on things (size)')).toEqual(['cannot run']);
    expect(kindsOf('create index concurrently sizes on things (size)', concurrent)).toEqual(['cannot be repeated']);
    expect(kindsOf('drop index concurrently things_colour', concurrent)).toEqual(['cannot be repeated']);
    expect(kindsOf('alter table things add weight int', concurrent)).toEqual(['cannot be repeated']);
    expect(kindsOf('alter table things add column if not exists weight int', concurrent)).toEqual([]);
    expect(
      kindsOf(
        'create index concurrently if not exists a on things (size); create index concurrently if not exists b on things (size)',
        concurrent,
      ),
    ).toEqual(['one statement']);
  });

  it('becomes a constraint without a scan', () => {
    const build = step('0002-index', 'create unique index concurrently if not exists sizes on things (size)', {
      ...concurrent,
      completes: '0001-initial',
    });
    expect(
      judge(
        build,
        step('0003-constraint', 'alter table things add constraint things_size_key unique using index sizes'),
      ),
    ).toEqual([]);
  });
});

describe('a released migration', () => {
  it('never changes, but for its spaces and comments', () => {
    // The body of a function is a value.
    const texts = initial.texts.map((text) =>
      text.includes('$$') ? text : `-- again\n${text.replaceAll(' ', '\n ')}`,
    );
    expect(judgeMigrations([{ ...initial, texts }], released)).toEqual([]);
    for (const by of [
      (text: string) => text.replace('default 0', 'default 1'),
      (text: string) => text.replace('colour text', 'colour text not null'),
      (text: string) => text.replace('size > 0', 'size > 1'),
    ]) {
      expect(judgeMigrations([{ ...initial, texts: initial.texts.map(by) }], released)).toEqual([
        '0001-initial: it is released, and no longer does what it did: write another one',
      ]);
    }
  });

  it('stays, and nothing comes before it', () => {
    expect(judgeMigrations([], released)).toEqual(['0001-initial: it is released, and gone']);
    expect(judge(step('0000-early', 'select 1'))).toEqual([
      '0000-early: comes before 0001-initial, which is released: databases that have that one would run it last',
    ]);
  });

  it('may have done what new ones may not', () => {
    const second = step('0002-old', 'alter table things drop column colour; create index later on things (size)');
    expect(judgeMigrations([initial, second], { ...released, '0002-old': hashOf(second) })).toEqual([]);
  });
});
