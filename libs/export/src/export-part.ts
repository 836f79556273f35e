import type { JsonValue } from '@bufbuild/protobuf';
import type { CanonicalJson } from '#libs/contract';
import type { SqlReader } from '#libs/db';
import type { UserActor } from '#libs/runtime';

/** What a service stores of people, and which of it they can take away. */
export interface ExportedData {
  /** In the order of the file. */
  parts: readonly ExportPart[];
  /** The tables that no part reads, with the reason. A test fails while a table of the database is in neither. */
  leftOut: Readonly<Record<string, string>>;
}

/** Resources of one type. */
export interface ExportPart {
  /** Their type in the lines, such as "task". */
  type: string;
  /** The tables that they are read from. */
  tables: readonly string[];
  /** Pages of them in canonical JSON. */
  read(reader: SqlReader, person: UserActor): AsyncIterable<JsonValue[]>;
}

interface Definition<Message> extends Pick<ExportPart, 'type' | 'tables'> {
  message: CanonicalJson<Message>;
  pages(reader: SqlReader, person: UserActor): AsyncIterable<readonly Message[]>;
}

export function defineExportPart<Message>({ type, tables, message, pages }: Definition<Message>): ExportPart {
  return {
    type,
    tables,
    read: async function* (reader, person) {
      for await (const page of pages(reader, person)) yield page.map(message.encode);
    },
  };
}
