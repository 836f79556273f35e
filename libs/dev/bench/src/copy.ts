import type { Client, Connection } from 'pg';

/** A cell of a row: what PostgreSQL's text format can hold. Lists become arrays of text. */
export type Cell = string | number | bigint | boolean | Date | Uint8Array | readonly string[] | null;

const escapes: Readonly<Record<string, string>> = { '\\': '\\\\', '\t': '\\t', '\n': '\\n', '\r': '\\r' };
const escape = (text: string): string => text.replace(/[\\\t\n\r]/g, (character) => escapes[character] ?? character);
const quoteElement = (element: string): string => `"${element.replace(/["\\]/g, '\\$&')}"`;

function cellText(cell: Cell): string {
  if (cell === null) return '\\N';
  if (typeof cell === 'string') return escape(cell);
  if (cell instanceof Date) return cell.toISOString();
  if (cell instanceof Uint8Array)
    return `\\\\x${Buffer.from(cell.buffer, cell.byteOffset, cell.length).toString('hex')}`;
  if (Array.isArray(cell)) return escape(`{${cell.map(quoteElement).join(',')}}`);
  return String(cell);
}

/** The part of pg's connection that speaks COPY; its types do not have it. */
interface CopyConnection {
  query(text: string): void;
  sendCopyFromChunk(chunk: Buffer): void;
  endCopyFrom(): void;
}

/** A query as pg's client carries it out: it calls these as the server's messages arrive. */
class CopyIn {
  readonly done: Promise<void>;
  readonly #text: string;
  readonly #data: Buffer;
  #completion: { resolve: () => void; reject: (error: Error) => void } = {
    resolve: () => undefined,
    reject: () => undefined,
  };

  constructor(text: string, data: Buffer) {
    this.#text = text;
    this.#data = data;
    this.done = new Promise((resolve, reject) => (this.#completion = { resolve, reject }));
  }

  submit(connection: Connection): void {
    (connection as unknown as CopyConnection).query(this.#text);
  }

  handleCopyInResponse(connection: CopyConnection): void {
    connection.sendCopyFromChunk(this.#data);
    connection.endCopyFrom();
  }

  handleCommandComplete(): void {
    // The client may not be used before it is ready again.
  }

  handleReadyForQuery(): void {
    this.#completion.resolve();
  }

  handleError(error: Error): void {
    this.#completion.reject(error);
  }
}

/** Loads rows by COPY, in the client's current transaction. All rows are one message: copy in portions of some thousands. */
export async function copyRows(
  client: Client,
  into: { table: string; columns: readonly string[] },
  rows: readonly (readonly Cell[])[],
): Promise<void> {
  if (rows.length === 0) return;
  const data = Buffer.from(rows.map((row) => `${row.map(cellText).join('\t')}\n`).join(''));
  const copy = new CopyIn(`COPY ${into.table} (${into.columns.join(', ')}) FROM STDIN`, data);
  client.query(copy);
  await copy.done;
}
