import { describe, expect, it } from '@jest/globals';
import {
  column,
  defineColumns,
  defineMessage,
  pickColumns,
  type Changed,
  type Created,
  type RowOf,
  type Stored,
} from '#libs/db';

type Mood = 'calm' | 'cross';
const mood = () =>
  column.coded<Mood>(
    (value) => (value === 'calm' ? 1 : 2),
    (code) => (code === 1 ? 'calm' : 'cross'),
  );

const cats = defineColumns('cats', {
  id: column.uuid().primary(),
  name: column.text().writable({ create: 'not empty', change: 'not empty', initial: '' }),
  mood: mood().writable({ create: 'known', initial: 'calm' }),
  birthDay: column.date().nullable(),
  ownerId: column.uuid().nullable().fixed(),
  lives: column.bigint().internal(),
  chipCode: column.text().named('chip').computed(`upper(name) stored`),
});
type Cats = typeof cats.columns;

const tom: Stored<Cats> = { id: 'a', name: "O'Tom", mood: 'cross', birthDay: null, ownerId: null, lives: 2n ** 60n };

function withValues(write: (add: (value: unknown, type: string) => string) => string): [string, unknown[]] {
  const values: unknown[] = [];
  return [write((value, type) => `$${values.push(value)}::${type}`), values];
}

describe('a table of columns', () => {
  it('selects what is stored under the names of properties, and all of it or some', () => {
    expect(cats.select('c')).toBe(
      'c.id as "id", c.name as "name", c.mood as "mood", c.birth_day::text as "birthDay", c.owner_id as "ownerId", c.lives as "lives"',
    );
    expect(cats.select('', ['id', 'ownerId'])).toBe('id, owner_id as "ownerId"');
  });

  it('makes values of a row', () => {
    const row: RowOf<Cats> & object = { ...tom, mood: 2, overdue: true } as object;
    expect(cats.toValues(row)).toEqual({ ...tom, overdue: true });
  });

  it('inserts rows as one parameter', () => {
    expect(withValues((add) => cats.insert([tom], add))).toEqual([
      'insert into cats (id, name, mood, birth_day, owner_id, lives) select id, name, mood, birth_day, owner_id, lives ' +
        'from json_to_recordset($1::json) as new (id uuid, name text, mood smallint, birth_day date, owner_id uuid, lives bigint)',
      [`[{"id":"a","name":"O'Tom","mood":2,"birth_day":null,"owner_id":null,"lives":"1152921504606846976"}]`],
    ]);
  });

  it('updates neither the key nor what is fixed', () => {
    expect(cats.assignments()).toBe('name = new.name, mood = new.mood, birth_day = new.birth_day, lives = new.lives');
    expect(cats.assignments(['lives', 'mood'])).toBe('name = new.name, birth_day = new.birth_day');
    expect(cats.assignments(['lives', 'mood', 'birthDay'], 'excluded')).toBe('name = excluded.name');
  });

  it('is read in part, with the same names and conversions', () => {
    const part = pickColumns(cats, 'id', 'mood');
    expect(part.select()).toBe('id, mood');
    expect(part.toValues({ id: 'a', mood: 1 } as object)).toEqual({ id: 'a', mood: 'calm' });
  });

  it('converts lists of codes, texts that stand for values, and a time without end', () => {
    const dogs = defineColumns('dogs', {
      moods: column.codes<Mood>(
        (value) => (value === 'calm' ? 1 : 2),
        (code) => (code === 1 ? 'calm' : 'cross'),
      ),
      size: column.codedText({ s: 'small', l: 'large' }, 'small'),
      home: column.timeOrInfinity(),
    });
    const values: Stored<typeof dogs.columns> = { moods: ['cross', 'calm'], size: 'large', home: 'infinity' };
    expect(dogs.cells(values)).toEqual([[2, 1], 'l', 'infinity']);
    expect(dogs.toValues({ moods: [2, 1], size: 'l', home: Number.POSITIVE_INFINITY } as object)).toEqual(values);
    expect(dogs.toValues({ moods: [], size: 'xl', home: new Date(0) } as object)).toEqual({
      moods: [],
      size: 'small',
      home: new Date(0),
    });
  });

  it('knows what clients may set', () => {
    expect([cats.schemas('create'), cats.schemas('change'), cats.initial]).toEqual([
      { name: 'not empty', mood: 'known' },
      { name: 'not empty' },
      { name: '', mood: 'calm' },
    ]);
    const created: Created<Cats> = { name: '', mood: 'calm' };
    // @ts-expect-error clients set the mood only once
    const changed: Changed<Cats> = { mood: 'cross' };
    expect([created, changed]).toHaveLength(2);
  });
});

interface Cat {
  id: string;
  name: string;
  mood: Mood;
  birthDay: string;
  ownerId: string;
  initials: string;
}
const noCat: Cat = { id: '', name: '', mood: 'calm', birthDay: '', ownerId: '', initials: '' };
const initials = ({ name }: Stored<Cats>, { dot }: { dot: string }): string => name.slice(0, 1) + dot;

describe('a message of a table of columns', () => {
  it('has the columns in the fields of their names, null as unset, and what is composed', () => {
    const toCat = defineMessage<Cat, { dot: string }>(noCat)(cats, { initials });
    expect(toCat(tom, { dot: '.' })).toEqual({ ...noCat, id: 'a', name: "O'Tom", mood: 'cross', initials: 'O.' });
  });

  /* What does not compile; the type check of the project reads these lines. */
  it('does not compile with anything forgotten', () => {
    type WithTail = Cat & { tail: boolean };
    // @ts-expect-error the message's field `tail` has no column, and nothing makes it
    defineMessage<WithTail, { dot: string }>({ ...noCat, tail: true })(cats, { initials });
    // @ts-expect-error nothing makes `initials`
    defineMessage<Cat, { dot: string }>(noCat)(cats, {});
    // @ts-expect-error the column `ownerId` has no field in the message
    defineMessage<Omit<Cat, 'ownerId'>, { dot: string }>(noCat)(cats, { initials });
    // @ts-expect-error the column `mood` does not fit the field of its name
    defineMessage<Omit<Cat, 'mood'> & { mood: boolean }, { dot: string }>({ ...noCat, mood: true })(cats, { initials });
    // @ts-expect-error `lives` is needed to store a cat
    const cat: Stored<Cats> = { id: 'a', name: 'Tom', mood: 'calm', birthDay: null, ownerId: null };
    expect(cat).toBeDefined();
  });
});
