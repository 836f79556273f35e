import type { PoolClient, QueryConfig } from 'pg';
import { types } from 'pg';
import { currentContext, remainingMs, timerMs } from '#libs/runtime';
import type { ControlConnection } from './control-connection.ts';
import { assertCallGoesOn, endOfCall, toDatabaseError } from './database-errors.ts';
import { toParameters } from './parameters.ts';
import { faultKind, isBrokenConnection } from './sql-state.ts';

/** Reads without the ORM, for hot paths: prepared statements outside of any transaction. */
export interface SqlReader {
  /**
   * `name` is the name of the prepared statement and unique for its text. In rows int8 and xid8 are bigint, int8[] is
   * bigint[], timestamptz is Date, bytea is Buffer, numeric is string. Ends with the running call, and throws AppError
   * like a unit of work.
   */
  query<Row>(statement: Statement, parameters: unknown[]): Promise<Row[]>;
}

export interface Statement {
  name: string;
  text: string;
}

const xid8 = 5069;
const parsers: Readonly<Record<number, (text: string) => unknown>> = {
  [types.builtins.INT8]: BigInt,
  [xid8]: BigInt,
  1016: (text) => (text === '{}' ? [] : text.slice(1, -1).split(',').map(BigInt)), // int8[]
};
/** The parsers of column types: see SqlReader. */
export const rowTypes = {
  getTypeParser: ((oid: number, format?: 'text' | 'binary') =>
    parsers[oid] ?? types.getTypeParser(oid, format as 'text')) as typeof types.getTypeParser,
};

export interface ReaderOptions {
  connect: () => Promise<PoolClient>;
  control: ControlConnection;
  /** Finds the real cause of a fault: see Silence. */
  explain: (error: unknown) => Promise<unknown>;
}

export function createReader({ connect, control, explain }: ReaderOptions): SqlReader {
  async function queryOnce(query: QueryConfig): Promise<unknown[]> {
    const client = await connect();
    releaseIfOver(client);
    const end = watchCall();
    const answer = client.query<Record<string, unknown>>(query);
    try {
      const result = await Promise.race([answer, end.reached]);
      if (result !== undefined) {
        client.release();
        return result.rows;
      }
    } catch (error) {
      client.release(faultKind(error) === 'connection');
      throw error;
    } finally {
      end.stop();
    }
    answer.catch(() => undefined);
    abandon(client, control);
    throw endOfCall();
  }

  return {
    query: async <Row>({ name, text }: Statement, parameters: unknown[]): Promise<Row[]> => {
      const query = { name, text, values: toParameters(parameters), types: rowTypes };
      try {
        assertCallGoesOn();
        return (await queryOnce(query).catch((error: unknown) => {
          if (!isBrokenConnection(error)) throw error;
          return queryOnce(query);
        })) as Row[];
      } catch (error) {
        throw toDatabaseError(await explain(error));
      }
    },
  };
}

/** The call may have ended while it waited for a connection. */
function releaseIfOver(client: PoolClient): void {
  try {
    assertCallGoesOn();
  } catch (error) {
    client.release();
    throw error;
  }
}

/** Cancels the statement while its connection is still ours, and never uses the connection again. */
function abandon(client: PoolClient, control: ControlConnection): void {
  const { processID } = client as PoolClient & { processID?: number };
  const cancelled = processID === undefined ? Promise.resolve() : control.cancelStatement(processID);
  void cancelled.then(() => client.release(true));
}

interface CallEnd {
  /** Resolves when the running call is over. */
  reached: Promise<undefined>;
  stop(): void;
}

/** To be stopped when the work for the call is done. */
export function watchCall(): CallEnd {
  const call = currentContext();
  if (call === undefined) return { reached: new Promise(() => undefined), stop: () => undefined };
  let finish: (value: undefined) => void = () => undefined;
  const reached = new Promise<undefined>((resolve) => (finish = resolve));
  const onEnd = (): void => finish(undefined);
  const timer = setTimeout(onEnd, timerMs(remainingMs()));
  call.signal.addEventListener('abort', onEnd, { once: true });
  return {
    reached,
    stop: () => {
      clearTimeout(timer);
      call.signal.removeEventListener('abort', onEnd);
    },
  };
}
