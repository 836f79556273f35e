import { ConfigError, createLogger, type Logger } from '#libs/runtime';
import { openDatabase, type Database, type DatabaseDefinition } from './database.ts';
import type { Statement } from './reader.ts';
import type { SecretCipher } from './secret-cipher.ts';
import { runStatement } from './statement.ts';

/** A column of type bytea with values that a SecretCipher sealed, or null. */
export interface SealedColumn {
  table: string;
  column: string;
  /** The columns of the primary key. */
  key: readonly string[];
  /** Selects the rows with sealed values; all rows when absent. */
  where?: string;
  /** The context that a row's value is sealed for; receives the values of the key as text. */
  label: (key: readonly string[]) => string;
}

interface SealedRow {
  key: string[];
  value: Buffer;
}

const rowsPerTransaction = 200;

/**
 * Seals every value again that is sealed under an older key, and resolves with their number. Services may run
 * meanwhile: a value that they changed is left alone. An interrupted run is continued by the next one. Throws at its
 * end when some values open with none of the keys.
 */
export async function reencrypt(
  database: Pick<Database, 'unitOfWork'>,
  cipher: SecretCipher,
  columns: readonly SealedColumn[],
): Promise<number> {
  const uow = database.unitOfWork((em) => em);
  let done = 0;
  let unopened = 0;
  for (const column of columns) {
    let after: string[] | undefined;
    do {
      const from = after;
      const rows = await uow.run((em) =>
        runStatement<SealedRow>(em, selectOutdated(column), [
          cipher.newestPrefix,
          from ?? column.key.map(() => ''),
          rowsPerTransaction,
        ]),
      );
      const renewed = rows.flatMap((row) => renew(cipher, column, row) ?? []);
      unopened += rows.length - renewed.length;
      done += await uow.run(async (em) =>
        renewed.length === 0 ? 0 : (await runStatement(em, updateText(column), toArrays(column, renewed))).length,
      );
      after = rows.at(-1)?.key;
    } while (after !== undefined);
  }
  if (unopened > 0) throw new Error(`${unopened} values are sealed under none of the configured keys`);
  return done;
}

const asTexts = (key: readonly string[]): string => `array[${key.map((name) => `${name}::text`).join(', ')}]`;

/** Reads in the order of the keys, after a given one. $1 is the prefix of values under the newest key. */
function selectOutdated({ table, column, key, where = 'true' }: SealedColumn): Statement {
  const text = `
    select ${asTexts(key)} as key, ${column} as value from ${table}
    where ${column} is not null and substring(${column} for length($1::bytea)) <> $1 and (${where}) and ${asTexts(key)} > $2::text[]
    order by 1 limit $3`;
  return { name: `outdated_${table}_${column}`, text };
}

/** Updates only while the value is still the one that was read. */
function updateText({ table, column, key }: SealedColumn): string {
  const names = key.map((_, index) => `key${index}`);
  const sources = names.map((_, index) => `$${index + 3}::text[]`);
  return `
    update ${table} as t set ${column} = renewed.value
    from unnest($1::bytea[], $2::bytea[], ${sources.join(', ')}) as renewed (old, value, ${names.join(', ')})
    where ${key.map((name, index) => `t.${name}::text = renewed.key${index}`).join(' and ')} and t.${column} = renewed.old
    returning 1`;
}

interface Renewed extends SealedRow {
  renewed: Buffer;
}

function renew(cipher: SecretCipher, { label }: SealedColumn, { key, value }: SealedRow): Renewed | undefined {
  try {
    return { key, value, renewed: cipher.seal(cipher.open(value, label(key)), label(key)) };
  } catch {
    return undefined;
  }
}

function toArrays({ key }: SealedColumn, rows: readonly Renewed[]): unknown[] {
  return [
    rows.map(({ value }) => value),
    rows.map(({ renewed }) => renewed),
    ...key.map((_, index) => rows.map((row) => row.key[index])),
  ];
}

export interface ReencryptOptions {
  definition: DatabaseDefinition;
  cipher: SecretCipher;
  columns: readonly SealedColumn[];
  /** The setting that lists the keys. */
  setting: string;
  logger: Logger;
}

/**
 * The body of a command: seals everything again and says when the old keys are no longer used. Sets exit code 1 when it
 * fails.
 */
export async function runReencryptCommand(readOptions: () => ReencryptOptions): Promise<void> {
  let logger = createLogger({ service: 'reencrypt', level: 'info' });
  let database: Database | undefined;
  try {
    const { definition, cipher, columns, setting, ...options } = readOptions();
    logger = options.logger;
    database = await openDatabase({ ...definition, poolSize: 1, logger, applicationName: 'taskflow reencrypt' });
    const values = await reencrypt(database, cipher, columns);
    logger.info(
      { values },
      `everything is sealed under the first key of ${setting}: the others are no longer needed once no replica seals with them`,
    );
  } catch (error) {
    process.exitCode = 1;
    if (error instanceof ConfigError) logger.error({ faults: error.faults }, 'the configuration is not usable');
    else logger.error({ err: error }, 'not everything could be sealed under the first key');
  } finally {
    await database?.close();
  }
}
