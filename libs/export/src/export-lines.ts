import { createHash } from 'node:crypto';
import type { SqlReader } from '#libs/db';
import type { UserActor } from '#libs/runtime';
import type { ExportedData } from './export-part.ts';

/** Grows when a reader of earlier lines would misunderstand later ones. */
const version = 1;
/** Of one message. A line is never cut, so a message may be larger. */
const chunkCharacters = 64 * 1024;

export interface ExportOf {
  service: string;
  person: UserActor;
  createTime: Date;
}

/** Everything of a person in one service: header, resources and trailer, as pieces of whole lines. */
export async function* writeExport(
  reader: SqlReader,
  { parts }: ExportedData,
  { service, person, createTime }: ExportOf,
): AsyncGenerator<string, void> {
  const counts: Record<string, number> = {};
  const digest = createHash('sha256');
  let piece = '';
  const add = (line: object): void => {
    const text = `${JSON.stringify(line)}\n`;
    digest.update(text);
    piece += text;
  };
  const header = { type: 'header', format: 'taskflow-export', version, service };
  add({ ...header, accountId: person.userId, createTime: createTime.toISOString() });
  for (const { type, read } of parts) {
    counts[type] = 0;
    for await (const page of read(reader, person))
      for (const resource of page) {
        add({ type, resource });
        counts[type] += 1;
        if (piece.length < chunkCharacters) continue;
        yield piece;
        piece = '';
      }
  }
  yield `${piece}${JSON.stringify({ type: 'trailer', service, counts, sha256: digest.digest('hex') })}\n`;
}
