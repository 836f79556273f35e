import { p } from '@mikro-orm/core';
import { CodeType, columnTypes, TextArrayType } from './column-types.ts';

/** The ORM's builder of a property. The property's type comes from the column instead. */
interface OrmProperty {
  primary(): OrmProperty;
  nullable(): OrmProperty;
  fieldName(name: string): OrmProperty;
  generated(expression: string): OrmProperty;
  defaultRaw(expression: string): OrmProperty;
}

/** How one column is stored; `defineColumns` derives the rest. */
export interface Storage {
  /** The type in PostgreSQL without a precision, by which the value is read from JSON. */
  sqlType: string;
  property: OrmProperty;
  /** The column's name, if it is not the property's in snake case. */
  name?: string;
  /** It is never written after the insert. */
  fixed?: boolean;
  /** PostgreSQL computes it, so it is neither inserted nor updated. */
  computed?: boolean;
  /** It is selected as text, because the driver would convert it wrongly. */
  asText?: boolean;
  /** Converts a value for JSON. */
  encode?: (value: never) => unknown;
  /** Converts the driver's value to the value in code; absent when they are the same. Never called for null. */
  decode?: (stored: never) => unknown;
}

/** What is known of a column besides its storage. */
export interface Marks {
  /** The message has no field of this name. */
  internal?: true;
  computed?: true;
  /** The schemas of a client's value when an entity is created and when it is changed. */
  create?: unknown;
  change?: unknown;
  /** The value of a new entity when the client sets none. */
  initial?: unknown;
}

/** A column whose value in code is a V. */
export class Column<V, M extends Marks = Record<never, never>> {
  readonly storage: Storage;
  readonly marks: Marks;
  /** Exists for the type only. */
  declare readonly '~value': V;
  declare readonly '~marks': M;

  constructor(storage: Storage, marks: Marks = {}) {
    this.storage = storage;
    this.marks = marks;
  }

  primary(): Column<V, M> {
    return this.#with({ fixed: true, property: this.storage.property.primary() });
  }

  nullable(): Column<V | null, M> {
    return this.#with({ property: this.storage.property.nullable() });
  }

  fixed(): Column<V, M> {
    return this.#with({ fixed: true });
  }

  named(name: string): Column<V, M> {
    return this.#with({ name, property: this.storage.property.fieldName(name) });
  }

  /** PostgreSQL sets it to this expression in rows of statements that do not name the column. */
  defaultsTo(expression: string): Column<V, M> {
    return this.#with({ property: this.storage.property.defaultRaw(expression) });
  }

  /** PostgreSQL computes it by this expression, which must be written as PostgreSQL prints it. */
  computed(expression: string): Column<V, M & { computed: true; internal: true }> {
    return new Column(
      { ...this.storage, computed: true, property: this.storage.property.generated(expression) },
      { ...this.marks, internal: true, computed: true },
    );
  }

  /** Clients do not see it, at least not under this name. */
  internal(): Column<V, M & { internal: true }> {
    return new Column(this.storage, { ...this.marks, internal: true });
  }

  /** Clients may set it, when they create an entity or change one. */
  writable<const S extends { create?: unknown; change?: unknown; initial: V }>(schemas: S): Column<V, M & S> {
    return new Column(this.storage, { ...this.marks, ...schemas });
  }

  /** A foreign key, as the ORM describes it: `() => p.manyToOne(…)`. */
  reference(property: () => unknown): Column<V, M> {
    return this.#with({ property: property as never });
  }

  #with(change: Partial<Storage>): Column<never, M> {
    return new Column({ ...this.storage, ...change }, this.marks);
  }
}

const make = <V>(sqlType: string, property: unknown, rest: Partial<Storage> = {}): Column<V> =>
  new Column<V>({ sqlType, property: property as OrmProperty, ...rest });

/** The types of columns. */
export const column = {
  uuid: () => make<string>('uuid', p.uuid()),
  text: <T extends string = string>() => make<T>('text', p.text()),
  boolean: () => make<boolean>('boolean', p.boolean()),
  smallint: () => make<number>('smallint', p.smallint()),
  integer: () => make<number>('integer', p.integer()),
  bigint: () => make<bigint>('bigint', p.bigint(), { encode: String }),
  /** To the millisecond. */
  time: () => make<Date>('timestamptz', p.datetime(3)),
  /** To the millisecond, or later than every time. */
  timeOrInfinity: () =>
    make<Date | 'infinity'>('timestamptz', p.datetime(3), {
      decode: (stored: Date | number) => (stored instanceof Date ? stored : 'infinity'),
    }),
  /** "2026-03-29" */
  date: () => make<string>('date', p.date(), { asText: true }),
  bytes: () => make<Buffer>('bytea', p.blob(), { encode: (bytes: Buffer) => `\\x${bytes.toString('hex')}` }),
  json: <T>() => make<T>('jsonb', p.json()),
  /** A text that a check limits to these values. */
  oneOf: <const T extends string>(values: readonly T[]) => make<T>('text', p.enum(values)),
  /**
   * A text that stands for a value, such as an enum's in the contract; texts that this release does not know are
   * `other`.
   */
  codedText: <V extends string>(texts: Readonly<Record<string, V>>, other: V) => {
    const textOf = new Map(Object.entries(texts).map(([text, value]) => [value, text]));
    return make<V>('text', p.text(), {
      encode: (value: V) => textOf.get(value),
      decode: (text: string) => texts[text] ?? other,
    });
  },
  /** text[] */
  texts: <T extends string = string>() => make<T[]>('text[]', p.type(TextArrayType)),
  /** A smallint that is mapped to a value in code, such as an enum's number in the contract. */
  coded: <V>(toCode: (value: V) => number, fromCode: (code: number) => V) =>
    make<V>('smallint', p.type(new CodeType(toCode, fromCode)), { encode: toCode, decode: fromCode }),
  /** smallint[] of such numbers */
  codes: <V>(toCode: (value: V) => number, fromCode: (code: number) => V) =>
    make<V[]>('smallint[]', p.array().columnType('smallint[]').$type<number[]>(), {
      encode: (values: V[]) => values.map(toCode),
      decode: (codes: number[]) => codes.map((code) => fromCode(code)),
    }),
  /** xid8, the id of a transaction that never wraps around. */
  transactionId: () => make<bigint>('xid8', p.type(columnTypes.TransactionId), { encode: String }),
};
