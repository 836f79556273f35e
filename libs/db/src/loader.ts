import { currentContext, inSpan, runWithContext, type CallContext } from '#libs/runtime';
import { assertCallGoesOn, endOfCall } from './database-errors.ts';
import { watchCall } from './reader.ts';

/** Reads rows by their keys. Rows that several calls ask for at about the same time are read by one statement. */
export interface Loader<Row> {
  /**
   * Undefined when there is no such row. The statement begins after `load` was called, so that it sees what was committed
   * before. Ends with the running call, without ending a statement that others wait for; throws as the reader does.
   */
  load(key: string): Promise<Row | undefined>;
}

export interface LoaderOptions<Row> {
  /** What the span of each recorded call is called. */
  name: string;
  /** Takes at most 500 keys, each once. */
  read: (keys: readonly string[]) => Promise<Row[]>;
  keyOf: (row: Row) => string;
}

const maxKeys = 500;
/** While the server works on one, the rows of the other are decoded here. */
const maxStatements = 2;

/** The calls that wait for one statement. */
class Batch<Row> {
  readonly #waiting = new Map<string, PromiseWithResolvers<Row | undefined>>();
  readonly #ended = new AbortController();
  #call: CallContext | undefined;
  #deadline = 0;
  #callers = 0;

  get isFull(): boolean {
    return this.#waiting.size >= maxKeys;
  }

  /** Nobody waits for it any more. */
  get isOver(): boolean {
    return this.#ended.signal.aborted;
  }

  add(key: string): Promise<Row | undefined> {
    const call = currentContext();
    this.#call ??= call;
    this.#deadline = Math.max(this.#deadline, call?.deadline ?? Infinity);
    this.#callers += 1;
    const known = this.#waiting.get(key) ?? Promise.withResolvers();
    this.#waiting.set(key, known);
    return known.promise;
  }

  leave(): void {
    this.#callers -= 1;
    if (this.#callers === 0) this.#ended.abort();
  }

  /** Runs until the latest deadline, unless every caller leaves before. Each caller has a span of its own. */
  async read({ read, keyOf }: LoaderOptions<Row>): Promise<void> {
    const call = this.#call && { ...this.#call, deadline: this.#deadline, signal: this.#ended.signal, span: undefined };
    try {
      const rows = await runWithContext(call, () => read([...this.#waiting.keys()]));
      for (const row of rows) this.#waiting.get(keyOf(row))?.resolve(row);
      for (const { resolve } of this.#waiting.values()) resolve(undefined);
    } catch (error) {
      for (const { reject } of this.#waiting.values()) reject(error);
    }
  }
}

export function createLoader<Row>(options: LoaderOptions<Row>): Loader<Row> {
  /** The last of them still grows. */
  let batches: Batch<Row>[] = [];
  let statements = 0;
  let planned = false;

  /** Begins when everything that arrived together has been taken in; a lone call waits for next to nothing. */
  function plan(): void {
    if (planned || statements >= maxStatements || batches.length === 0) return;
    planned = true;
    setImmediate(() => {
      planned = false;
      batches = batches.filter((batch) => !batch.isOver);
      const batch = batches.shift();
      if (batch !== undefined) {
        statements += 1;
        void batch.read(options).finally(() => {
          statements -= 1;
          plan();
        });
      }
      plan();
    });
  }

  function openBatch(): Batch<Row> {
    const last = batches.at(-1);
    if (last !== undefined && !last.isFull && !last.isOver) return last;
    const batch = new Batch<Row>();
    batches.push(batch);
    return batch;
  }

  async function waitFor(key: string): Promise<Row | undefined> {
    const batch = openBatch();
    const row = batch.add(key);
    row.catch(() => undefined);
    plan();
    const end = watchCall();
    try {
      return await Promise.race([row, end.reached.then(() => Promise.reject(endOfCall() as Error))]);
    } finally {
      end.stop();
      batch.leave();
    }
  }

  return {
    load: async (key) => {
      assertCallGoesOn();
      return inSpan({ name: options.name, kind: 'client' }, () => waitFor(key));
    },
  };
}
