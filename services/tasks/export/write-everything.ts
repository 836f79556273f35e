import { ExportService } from '#client/export';
import { retry, serviceNames, type Connection, type ServiceClient } from '#client/index';
import { whileBusy } from '../exchange/patient.ts';
import { createExportParser } from '../exchange/read-export.ts';
import { createTaskChecksum, type TaskChecksum } from '../exchange/task-checksum.ts';

export interface EverythingCounts {
  lines: number;
  /** Own tasks that this program does not understand, so that an import would skip them. */
  unread: number;
  checksum: TaskChecksum;
}

export const newEverythingCounts = (): EverythingCounts => ({ lines: 0, unread: 0, checksum: createTaskChecksum() });

type ExportClient = ServiceClient<typeof ExportService>;

/**
 * Yields what each of the services exports, one behind the other, and reads it as an import will: a part that is not
 * whole throws. Each part is as of one moment, so a service that fails in the middle of its part ends the export.
 */
export async function* writeEverything(connection: Connection, counts: EverythingCounts): AsyncGenerator<string> {
  const parser = createExportParser();
  for (const service of serviceNames) {
    for await (const lines of readPart(connection.service(ExportService, { at: service }))) {
      for (const line of lines.split('\n').slice(0, -1)) {
        counts.lines += 1;
        const bytes = Buffer.from(line).toString('latin1');
        const entry = parser.add({ number: counts.lines, bytes, end: '\n', cut: false });
        if (entry === undefined) continue;
        if ('task' in entry) counts.checksum.add(entry.task);
        else counts.unread += 1;
      }
      yield lines;
    }
  }
  parser.end();
}

/** Waits for a service that is down, but begins no part anew. */
async function* readPart(client: ExportClient): AsyncGenerator<string> {
  const open = async () => {
    const stream = client.exportMyData({})[Symbol.asyncIterator]();
    return { stream, first: await stream.next() };
  };
  const { stream, first } = await retry(open, whileBusy);
  try {
    for (let next = first; next.done !== true; next = await stream.next()) yield next.value.lines;
  } finally {
    await stream.return?.();
  }
}
