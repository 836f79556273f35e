import type { AuditLog } from '#libs/audit';
import type { Snapshots, SqlReader } from '#libs/db';
import { AppError } from '#libs/errors';
import { steadyNow, type Clock, type UserActor } from '#libs/runtime';
import type { ExportedData } from './export-part.ts';
import { writeExport } from './export-lines.ts';

/** An export that is not read on for so long is given up: it keeps PostgreSQL from cleaning up behind it. */
const defaultStallMs = 30_000;
/** PostgreSQL ends it when this process cannot. */
const graceMs = 5_000;

export interface ExporterOptions {
  service: string;
  snapshots: Snapshots;
  audit: Pick<AuditLog, 'record' | 'settle'>;
  clock: Clock;
  data: ExportedData;
  /** How many exports may run at once; each holds a connection. */
  maxRunning: number;
  /** By default 30 seconds. */
  stallMs?: number;
}

/** Exports what a person has in this service, as pieces of whole lines. */
export type Exporter = (person: UserActor) => AsyncGenerator<string, void>;

export function createExporter(options: ExporterOptions): Exporter {
  const { service, snapshots, audit, clock, data, maxRunning, stallMs = defaultStallMs } = options;
  const running = new Set<string>();
  const begin = (accountId: string): void => {
    if (running.size >= maxRunning || running.has(accountId)) throw busy();
    running.add(accountId);
  };
  return async function* (person) {
    const accountId = person.userId;
    begin(accountId);
    try {
      await audit.record({ action: 'data_exported', target: { kind: 'account', id: accountId }, accountId });
      // Its own event, too, is then in the file.
      await audit.settle();
      const createTime = clock.now();
      let readTime = steadyNow();
      const onRead = (): void => void (readTime = steadyNow());
      const pieces = snapshots.read(
        (reader) => writeExport(watchReads(reader, onRead), data, { service, person, createTime }),
        stallMs + graceMs,
      );
      for await (const piece of pieces) {
        yield piece;
        if (steadyNow() - readTime > stallMs) throw stalled();
      }
    } finally {
      running.delete(accountId);
    }
  };
}

function watchReads(reader: SqlReader, onRead: () => void): SqlReader {
  return { query: (statement, parameters) => reader.query<never>(statement, parameters).finally(onRead) };
}

function busy(): AppError {
  return new AppError('resource_exhausted', 'OVERLOADED', 'an export of this account or too many others are running', {
    details: { retryAfterMs: 1000 },
  });
}

function stalled(): AppError {
  return new AppError('unavailable', 'EXPORT_STALLED', 'nothing of the export was taken for too long; begin again');
}
