import {
  isRaw,
  JsonProperty,
  raw,
  Utils,
  type Configuration,
  type Dictionary,
  type LoggingOptions,
  type RawQueryFragment,
} from '@mikro-orm/core';
import {
  NativeQueryBuilder,
  PostgreSqlConnection,
  PostgreSqlDriver,
  type PostgreSqlPlatform,
} from '@mikro-orm/postgresql';
import { CompiledQuery, type Kysely } from 'kysely';
import { AppError } from '#libs/errors';
import { RefusedStatement } from './database-errors.ts';
import { toParameters } from './parameters.ts';

/** The protocol counts the parameters of a statement in 16 bits. */
const maxParameters = 65_535;

type Query = string | NativeQueryBuilder | RawQueryFragment;
type Parameters = readonly unknown[] | Dictionary<unknown>;
type Execution = [
  query: Query,
  parameters?: Parameters,
  method?: 'all' | 'get' | 'run',
  context?: Kysely<unknown>,
  logging?: LoggingOptions,
];

/** A statement as PostgreSQL takes it: `$1`, `$2`, … in the text, and the values. */
export interface BoundStatement {
  text: string;
  values: unknown[];
}

/**
 * Uses the ORM's parser of `?` and `??`, but gives a value a number instead of writing it into the text. Raw fragments
 * and identifiers stay text. A list becomes one parameter per item, as in `in (?)`.
 */
export function bindValues(platform: PostgreSqlPlatform, sql: string, parameters: readonly unknown[]): BoundStatement {
  const values: unknown[] = [];
  const add = (value: unknown): string => `$${values.push(value)}`;
  const binder = Object.create(platform, {
    quoteValue: {
      value: (value: unknown): string => {
        if (isRaw(value)) return binder.formatQuery(value.sql, value.params);
        if (isJson(value)) return add(JSON.stringify(value));
        return Array.isArray(value) ? value.map((item) => binder.quoteValue(item)).join(', ') : add(value);
      },
    },
  }) as PostgreSqlPlatform;
  const text = binder.formatQuery(sql, parameters);
  if (values.length > maxParameters) throw tooManyParameters(values.length);
  return { text, values };
}

function tooManyParameters(count: number): RefusedStatement {
  const cause = new Error(
    `a statement with ${count} parameters, where PostgreSQL takes ${maxParameters}: use one array instead`,
  );
  return new RefusedStatement(new AppError('internal', 'INTERNAL', 'internal error', { cause }));
}

function isJson(value: unknown): boolean {
  return (
    Utils.isPlainObject(value) || (value as { [JsonProperty]?: unknown } | null | undefined)?.[JsonProperty] === true
  );
}

/**
 * Sends values as parameters. The ORM's own connection writes them into the text, which PostgreSQL puts into its log
 * with every error, shows in pg_stat_activity and may keep in pg_stat_statements.
 */
class BoundConnection extends PostgreSqlConnection {
  /** Ignores the ORM's abort signals, because a unit of work cancels its statements itself. */
  override async execute<T>(...[query, parameters = [], method = 'all', context, logging]: Execution): Promise<T> {
    await this.ensureConnection();
    const { text, values } = this.#bind(query, parameters);
    return this.executeQuery(
      text,
      async () =>
        this.transformRawResult<T>(
          await (context ?? this.getClient()).executeQuery(CompiledQuery.raw(text, toParameters(values))),
          method,
        ),
      logging,
    );
  }

  override stream(): never {
    throw new Error('em.stream() writes values into the statement: read with a SqlReader instead');
  }

  #bind(query: Query, parameters: Parameters): BoundStatement {
    const given = query instanceof NativeQueryBuilder ? query.toRaw() : query;
    const { sql, params } =
      typeof given !== 'string'
        ? given
        : Array.isArray(parameters)
          ? { sql: given, params: parameters }
          : raw(given, parameters as Dictionary);
    return bindValues(
      this.platform as PostgreSqlPlatform,
      this.config.get('onQuery')(sql, params as unknown[]),
      params,
    );
  }
}

/** The ORM's driver for PostgreSQL with real parameters. */
export class BoundDriver extends PostgreSqlDriver {
  protected override readonly connection: BoundConnection;

  constructor(config: Configuration) {
    super(config);
    this.connection = new BoundConnection(this.config);
  }
}
