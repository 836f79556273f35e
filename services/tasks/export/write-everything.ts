import { ExportServiceService } from '#contract/export/v1/export';
import { openPublicClient, retry, type PublicClient, type PublicClientOptions } from '#libs/grpc';
import { giveUpAfterMs } from '../exchange/account.ts';
import { createExportParser } from '../exchange/read-export.ts';
import { createTaskChecksum, type TaskChecksum } from '../exchange/task-checksum.ts';

/** In the order of the file. */
export const exportingServices = ['auth', 'users', 'tasks', 'scheduler'] as const;

export interface EverythingOptions {
  addresses: Record<(typeof exportingServices)[number], string>;
  certificates: PublicClientOptions['certificates'];
  /** Returns a valid access token of a session. */
  token: () => Promise<string>;
}

export interface EverythingCounts {
  lines: number;
  /** Own tasks that this program does not understand, so that an import would skip them. */
  unread: number;
  checksum: TaskChecksum;
}

export const newEverythingCounts = (): EverythingCounts => ({ lines: 0, unread: 0, checksum: createTaskChecksum() });

type ExportClient = PublicClient<typeof ExportServiceService>;

/**
 * Yields what each of the services exports, one behind the other, and reads it as an import will: a part that is not
 * whole throws. Each part is as of one moment, so a service that fails in the middle of its part ends the export.
 */
export async function* writeEverything(
  { addresses, certificates, token }: EverythingOptions,
  counts: EverythingCounts,
): AsyncGenerator<string> {
  const parser = createExportParser();
  for (const service of exportingServices) {
    const client = openPublicClient(ExportServiceService, addresses[service], { certificates });
    try {
      for await (const lines of readPart(client, token)) {
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
    } finally {
      client.close();
    }
  }
  parser.end();
}

/** Waits for a service that is down, but begins no part anew. */
async function* readPart(client: ExportClient, token: () => Promise<string>): AsyncGenerator<string> {
  const open = async () => {
    const stream = client.exportMyData({}, { token: await token() });
    return { stream, first: await stream.next() };
  };
  const { stream, first } = await retry(open, giveUpAfterMs);
  if (first.done !== true) yield first.value.lines;
  for await (const { lines } of stream) yield lines;
}
