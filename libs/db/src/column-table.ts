import { defineEntity, type EntitySchema } from '@mikro-orm/core';
import type { Column, Marks } from './columns.ts';

export type Columns = Readonly<Record<string, Column<unknown, Marks>>>;
/** The type of a value in code, which is that of the entity's property. */
export type ValueOf<C> = C extends { readonly '~value': infer V } ? V : never;
export type MarksOf<C> = C extends { readonly '~marks': infer M } ? M : never;
/** The columns whose marks extend `Wanted`. */
export type Marked<C, Wanted> = { [K in keyof C]: MarksOf<C[K]> extends Wanted ? K : never }[keyof C];
/** Everything that an entity stores, including columns that PostgreSQL computes. */
export type Values<C> = { -readonly [K in keyof C]: ValueOf<C[K]> };
/** The values that an insert needs. */
export type Stored<C> = Omit<Values<C>, Marked<C, { computed: true }>>;
/** What clients may set when they create an entity. */
export type Created<C> = Pick<Values<C>, Marked<C, { create: unknown }>>;
/** What clients may change. */
export type Changed<C> = Partial<Pick<Values<C>, Marked<C, { change: unknown }>>>;

/** A row as a `select` returns it; `toValues` converts it. */
export interface RowOf<C> {
  readonly '~columns'?: C;
}

/** Adds a value to a statement and returns its parameter with its type (`$1::text`). The value never becomes text. */
export type AddParameter = (value: unknown, type: string) => string;

/** The schemas of what clients may set when they create or change an entity. */
export type Schemas<C, When extends 'create' | 'change'> = {
  [K in Marked<C, Record<When, unknown>>]: MarksOf<C[K]>[When & keyof MarksOf<C[K]>];
};

export interface ColumnTable<C extends Columns> {
  readonly table: string;
  readonly columns: C;
  /** `id, owner_id as "ownerId", …`: all columns or the named ones, of the table with the `alias`. */
  select(alias?: string, keys?: readonly (keyof C)[]): string;
  /** Converts the row of such a select in place. Needs the parsers of a SqlReader or of a named statement. */
  toValues(row: RowOf<C>): Stored<C>;
  /** The names of the inserted columns; `cells` has the values in this order. */
  readonly names: readonly string[];
  cells(values: Stored<C>): unknown[];
  /** `insert into …`. The rows are one JSON value, which costs less than an array for each column. */
  insert(values: readonly Stored<C>[], add: AddParameter): string;
  /** `json_to_recordset(…) as new (…)`: the rows, for `from` in an update. */
  records(values: readonly Stored<C>[], add: AddParameter): string;
  /**
   * `title = new.title, …`: every column that may change after the insert, except the named ones, from the row that is
   * called `source`.
   */
  assignments(except?: readonly (keyof C)[], source?: string): string;
  /** The name of a column, for conditions. */
  nameOf(key: keyof C): string;
  schemas<When extends 'create' | 'change'>(when: When): Schemas<C, When>;
  /** What a new entity has where the client sets nothing. */
  readonly initial: Pick<Values<C>, Marked<C, { initial: unknown }>>;
}

/**
 * Defines an entity's columns once. Lists of columns in SQL, rows, values and the ORM's entity derive from it. A key is
 * the property's name; its snake case is the column's.
 */
export function defineColumns<const C extends Columns>(table: string, columns: C): ColumnTable<C> {
  const all = Object.entries(columns).map(([key, { storage }]) => ({
    key,
    name: storage.name ?? toColumnName(key),
    ...storage,
  }));
  const stored = all.filter(({ computed }) => computed !== true);
  const decoded = stored.flatMap(({ key, decode }) => (decode === undefined ? [] : [{ key, decode }]));
  const names = stored.map(({ name }) => name);
  const list = names.join(', ');
  const record = `(${stored.map(({ name, sqlType }) => `${name} ${sqlType}`).join(', ')})`;

  const selectOne = ({ key, name, asText }: (typeof all)[number], alias: string): string => {
    const expression = `${alias === '' ? '' : `${alias}.`}${name}${asText === true ? '::text' : ''}`;
    return expression === key ? key : `${expression} as "${key}"`;
  };
  const cell = (values: Record<string, unknown>, { key, encode }: (typeof all)[number]): unknown => {
    const value = values[key];
    return encode === undefined || value === null ? value : encode(value as never);
  };
  // An object with its keys in place is filled faster than one that gets them one by one.
  const blank = Object.fromEntries(names.map((name) => [name, null]));
  const toRecord = (values: object): object => {
    const result: Record<string, unknown> = { ...blank };
    for (const each of stored) result[each.name] = cell(values as Record<string, unknown>, each);
    return result;
  };
  const records = (values: readonly object[], add: AddParameter): string =>
    `json_to_recordset(${add(JSON.stringify(values.map(toRecord)), 'json')}) as new ${record}`;

  return {
    table,
    columns,
    select: (alias = '', keys) =>
      stored
        .filter(({ key }) => keys === undefined || keys.includes(key))
        .map((each) => selectOne(each, alias))
        .join(', '),
    toValues: (row) => {
      const values = row as Record<string, unknown>;
      for (const { key, decode } of decoded) if (values[key] !== null) values[key] = decode(values[key] as never);
      return values as Stored<C>;
    },
    names,
    cells: (values) => stored.map((each) => cell(values as Record<string, unknown>, each)),
    records,
    insert: (values, add) => `insert into ${table} (${list}) select ${list} from ${records(values, add)}`,
    assignments: (except = [], source = 'new') =>
      stored
        .filter(({ key, fixed }) => fixed !== true && !except.includes(key))
        .map(({ name }) => `${name} = ${source}.${name}`)
        .join(', '),
    nameOf: (key) => columns[key]?.storage.name ?? toColumnName(String(key)),
    schemas: (when) => pickMark(columns, when) as never,
    initial: pickMark(columns, 'initial') as never,
  };
}

/** The named columns of a table alone, for a statement that reads no more of its rows. */
export function pickColumns<C extends Columns, const K extends keyof C & string>(
  { table, columns }: ColumnTable<C>,
  ...keys: K[]
): ColumnTable<Pick<C, K>> {
  return defineColumns(table, Object.fromEntries(keys.map((key) => [key, columns[key]])) as unknown as Pick<C, K>);
}

/** The value of the mark, for each column that has it. */
function pickMark(columns: Columns, mark: keyof Marks): object {
  return Object.fromEntries(
    Object.entries(columns).flatMap(([key, { marks }]) => (mark in marks ? [[key, marks[mark]]] : [])),
  );
}

/** `dueTime` → `due_time`, also the name of the field in a mask. */
export function toColumnName(key: string): string {
  return key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

interface EntityOptions<C> {
  name: string;
  indexes?: readonly IndexOptions<C>[];
  uniques?: readonly IndexOptions<C>[];
  checks?: readonly { name: string; expression: string }[];
}

interface IndexOptions<C> {
  name: string;
  properties?: readonly (keyof C)[];
  where?: string;
  /** The whole statement, for an index that is more than a list of columns. */
  expression?: string;
}

/** The ORM's entity. A class with verbs extends `class` and is set with `setClass`. */
export function defineEntityOf<C extends Columns>(
  { table, columns }: ColumnTable<C>,
  options: EntityOptions<C>,
): EntitySchema<Values<C>> & { class: new () => Values<C> } {
  const properties = Object.fromEntries(Object.entries(columns).map(([key, { storage }]) => [key, storage.property]));
  return defineEntity({ tableName: table, properties, ...options } as never) as never;
}
