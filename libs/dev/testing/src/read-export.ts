import { createHash } from 'node:crypto';
import type { JsonValue } from '@bufbuild/protobuf';
import { ExportServiceService } from '#contract/export/v1/export';
import { openStub } from '#dev/stubs';

interface ExportLine {
  type: string;
  resource: Record<string, JsonValue>;
}

interface ExportTrailer {
  type: string;
  counts: Record<string, number>;
  sha256: string;
}

export interface ReadExport {
  header: Record<string, unknown>;
  /** The resources by the type of their lines, which may have none. */
  byType: Record<string, Record<string, JsonValue>[]>;
}

/** Reads what ExportMyData answers. Throws unless it is whole: its trailer has the right counts and digest. */
export async function readExport(pieces: AsyncIterable<{ lines: string }>): Promise<ReadExport> {
  let text = '';
  for await (const { lines } of pieces) {
    if (!lines.endsWith('\n')) throw new Error('a piece of an export does not end with a line');
    text += lines;
  }
  const [header = '{}', ...lines] = text.split('\n').slice(0, -1);
  const end = lines.pop() ?? '{}';
  const { counts } = checkTrailer(end, text.slice(0, text.length - end.length - 1));
  const byType: ReadExport['byType'] = Object.fromEntries(Object.keys(counts).map((type) => [type, []]));
  for (const { type, resource } of lines.map((line) => JSON.parse(line) as ExportLine)) byType[type]?.push(resource);
  for (const [type, count] of Object.entries(counts))
    if (byType[type]?.length !== count) throw new Error(`an export with another number of ${type}`);
  return { header: JSON.parse(header) as Record<string, unknown>, byType };
}

function checkTrailer(line: string, before: string): ExportTrailer {
  const trailer = JSON.parse(line) as ExportTrailer;
  if (trailer.type !== 'trailer') throw new Error('an export without its trailer');
  if (trailer.sha256 !== createHash('sha256').update(before).digest('hex')) throw new Error('an export was changed');
  return trailer;
}

/** What the service on this port has of a user. */
export async function exportFrom({ grpcPort }: { grpcPort: number }, as: { token: string }): Promise<ReadExport> {
  const client = openStub(ExportServiceService, `127.0.0.1:${grpcPort}`);
  try {
    return await readExport(client.exportMyData({}, as));
  } finally {
    client.close();
  }
}

/** The tables of a database, those outside of the schema public with their schema; partitions count with their table. */
export async function listTables(sql: <Row>(text: string) => Promise<Row[]>): Promise<string[]> {
  const rows = await sql<{ name: string }>(`
    select case nspname when 'public' then relname else nspname || '.' || relname end as name
    from pg_class join pg_namespace on pg_namespace.oid = relnamespace
    where relkind in ('r', 'p') and not relispartition and nspname in ('public', 'audit') order by name`);
  return rows.map(({ name }) => name);
}

/** The tables that an export reads or names as left out. */
export function tablesOf({
  parts,
  leftOut,
}: {
  parts: readonly { tables: readonly string[] }[];
  leftOut: Readonly<Record<string, string>>;
}): string[] {
  return [...new Set([...parts.flatMap(({ tables }) => tables), ...Object.keys(leftOut)])].sort();
}
