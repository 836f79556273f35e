import { beforeAll, describe, expect, it } from '@jest/globals';
import { defineEntity, p, PostgreSqlPlatform, raw, type PostgreSqlConnection } from '@mikro-orm/postgresql';
import fc from 'fast-check';
import type { Pool, PoolClient } from 'pg';
import { columnTypes, openDatabase, runStatement, uuidv7, type EntityManager, type UnitOfWork } from '#libs/db';
import { useDatabase } from '../../dev/testing/src/use-database.ts';
import { bindValues } from '../src/bound-driver.ts';
import { toParameters } from '../src/parameters.ts';
import { notesDefinition, silent } from './fixture/notes.ts';

const specimenSchema = defineEntity({
  name: 'Specimen',
  tableName: 'specimens',
  properties: {
    id: p.uuid().primary(),
    line: p.text(),
    words: p.array().columnType('text[]'),
    facts: p.json<unknown>(),
    bytes: p.blob().nullable(),
    size: p.bigint('bigint'),
    counts: p.type(columnTypes.BigIntArray),
    seenIn: p.type(columnTypes.TransactionId),
    share: p.double(),
    isOpen: p.boolean(),
    mood: p.enum(['calm', 'cross']),
    dueTime: p.datetime(3).nullable(),
    version: p.integer().version(),
  },
});
class Specimen extends specimenSchema.class {}
specimenSchema.setClass(Specimen);

const table = `
  create type mood as enum ('calm', 'cross');
  create table specimens (
    id uuid primary key, line text not null, words text[] not null, facts jsonb not null, bytes bytea, size bigint not null, counts bigint[] not null,
    seen_in xid8 not null, share double precision not null, is_open boolean not null, mood mood not null, due_time timestamptz(3), version int not null default 1
  )`;

/** Any text that PostgreSQL can store, with quotes, backslashes, question marks and dollars. */
const text = fc
  .oneof(
    fc.string({ unit: 'grapheme' }),
    fc.constantFrom(`it's`, `\\'; drop table specimens; --`, '??', '\\?', '$1', '{a,"b"}', 'null'),
  )
  .map((line) => line.replaceAll('\0', ''));
const specimen = fc.record({
  line: text,
  // Without "null" and trailing blanks, which the ORM writes wrongly into an array of texts. No service uses it.
  words: fc.array(
    fc.stringMatching(/^[a-z'"\\,{}?$]+$/).filter((word) => word !== 'null'),
    { maxLength: 3 },
  ),
  facts: fc.oneof(
    fc.dictionary(
      text.filter((key) => key !== '__proto__'),
      text,
      { maxKeys: 3 },
    ),
    fc.array(text),
    text,
  ),
  bytes: fc.option(fc.uint8Array({ maxLength: 20 }).map((bytes) => Buffer.from(bytes))),
  size: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  counts: fc.array(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), { maxLength: 3 }),
  seenIn: fc.bigInt({ min: 0n, max: 2n ** 63n - 1n }),
  share: fc.double({ noNaN: true }).map((share) => share + 0),
  isOpen: fc.boolean(),
  mood: fc.constantFrom('calm' as const, 'cross' as const),
  dueTime: fc.option(
    fc.date({ min: new Date('0001-01-01T00:00:00Z'), max: new Date('9999-12-31T23:59:59.999Z'), noInvalidDate: true }),
  ),
});
type Values = typeof specimen extends fc.Arbitrary<infer T> ? T : never;

describe('a statement of the ORM', () => {
  const { migrationsPath } = notesDefinition;
  const used = useDatabase((url) =>
    openDatabase({
      entities: [specimenSchema],
      migrationsPath,
      url,
      poolSize: 2,
      logger: silent,
      applicationName: 'specimens',
    }),
  );
  let uow: UnitOfWork<EntityManager>;
  const sent: string[] = [];
  beforeAll(async () => {
    uow = used.database.unitOfWork((em) => em);
    const pool = (await (used.database.orm.driver.getConnection() as PostgreSqlConnection).getNativeClient()) as Pool;
    pool.on('connect', recordTexts);
    await uow.run((em) => runStatement(em, table, []));
  });

  function recordTexts(client: PoolClient): void {
    const query = client.query.bind(client) as (given: string | { text: string }, ...rest: unknown[]) => unknown;
    client.query = ((given: string | { text: string }, ...rest: unknown[]) => {
      sent.push(typeof given === 'string' ? given : given.text);
      return query(given, ...rest);
    }) as typeof client.query;
  }

  const store = (all: readonly Values[]): Promise<string[]> =>
    uow.run(async (em) => {
      const entities = all.map((values) => em.create(Specimen, { id: uuidv7(), ...values } as never));
      em.persist(entities);
      return entities.map(({ id }) => id);
    });
  const find = (ids: string[]) =>
    uow.run(async (em) => (await em.find(Specimen, { id: { $in: ids } }, { orderBy: { id: 'asc' } })).map(valuesOf));
  const valuesOf = ({ id: _id, version: _version, ...values }: Specimen) => ({
    ...values,
    bytes: values.bytes ?? null,
    dueTime: values.dueTime ?? null,
  });

  it('stores, changes and finds what it was given, of every type of column, one row or many', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(specimen, { minLength: 2, maxLength: 4 }),
        fc.array(specimen, { minLength: 4, maxLength: 4 }),
        async (first, later) => {
          const ids = await store(first);
          expect(await find(ids)).toEqual(first);
          await uow.run(async (em) => {
            const entities = await em.find(Specimen, { id: { $in: ids } }, { orderBy: { id: 'asc' } });
            entities.forEach((entity, index) => Object.assign(entity, later[index]));
          });
          expect(await find(ids)).toEqual(later.slice(0, first.length));
          const { line, mood, isOpen, share, size } = later[0]!;
          const found = await uow.run((em) =>
            em.findOne(Specimen, {
              id: ids[0]!,
              line,
              mood,
              isOpen,
              share,
              size,
              $or: [{ dueTime: null }, { dueTime: { $lte: new Date('9999-12-31T23:59:59.999Z') } }],
            }),
          );
          expect(found?.id).toBe(ids[0]);
          expect(await uow.run((em) => em.nativeDelete(Specimen, { id: { $in: ids } }))).toBe(ids.length);
        },
      ),
      { numRuns: 40 },
    );
  });

  it('has no value in its text', async () => {
    expect(
      sent.filter((statement) => /insert into "specimens"|update "specimens"|from "specimens"/.test(statement)).length,
    ).toBeGreaterThan(100);
    // A value in the text would be a literal: a number or a quoted text.
    const literals = sent
      .filter((statement) => statement.includes('specimens') && !statement.includes('create'))
      .filter((statement) => /'|= \d|\((\d|null|true|false)/.test(statement));
    expect(literals).toEqual([]);
  });

  it('may have 65,535 parameters and is refused beyond them, where the protocol would send another number', async () => {
    const ids = Array.from({ length: 65_535 }, () => uuidv7());
    expect(await find(ids)).toEqual([]);
    await expect(find([...ids, uuidv7()])).rejects.toMatchObject({
      kind: 'internal',
      cause: { message: expect.stringContaining('65536 parameters') },
    });
  });
});

describe('binding', () => {
  const platform = new PostgreSqlPlatform();
  const value = fc.oneof(
    fc.string(),
    fc.integer(),
    fc.bigInt(),
    fc.boolean(),
    fc.constant(null),
    fc.dictionary(fc.string(), fc.string(), { noNullPrototype: true }),
  );
  const part = fc.oneof(
    value.map((given) => ({ sql: '?', params: [given] as unknown[] })),
    fc
      .array(fc.oneof(fc.string(), fc.bigInt(), fc.boolean()), { minLength: 1, maxLength: 3 })
      .map((given) => ({ sql: 'in (?)', params: [given] as unknown[] })),
    fc.string({ minLength: 1 }).map((name) => ({ sql: '??', params: [name] as unknown[] })),
    value.map((given) => ({ sql: '?', params: [raw('lower(?)', [given])] as unknown[] })),
    fc.constantFrom('a \\? b', ' and ', 'default').map((sql) => ({ sql, params: [] as unknown[] })),
  );

  it('means what the ORM would have written', () => {
    fc.assert(
      fc.property(fc.array(part, { minLength: 1 }), (parts) => {
        const sql = parts.map((given) => given.sql).join(' x ');
        const params = parts.flatMap((given) => given.params);
        const identifiers = params.filter((given, index) => index >= 0 && typeof given === 'string');
        // Below, values replace parameters, and a name with a dollar would look like one.
        fc.pre(!identifiers.some((name) => String(name).includes('$')) && params.length > 0);
        const bound = bindValues(platform, sql, params);
        const written = bound.text.replace(/\$(\d+)/g, (_, number) =>
          String(platform.quoteValue(bound.values[Number(number) - 1])),
        );
        expect(written).toEqual(platform.formatQuery(sql, params));
      }),
    );
  });

  it('sends instants in UTC, also those of the time when zones had seconds', () => {
    const instant = new Date('1850-01-01T00:00:00Z');
    expect(toParameters([instant, [instant, null], 'text'])).toEqual([
      '1850-01-01T00:00:00.000Z',
      ['1850-01-01T00:00:00.000Z', null],
      'text',
    ]);
  });
});
