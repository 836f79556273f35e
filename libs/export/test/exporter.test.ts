import { afterAll, describe, expect, it } from '@jest/globals';
import { createExporter, defineExportPart, type ExportedData } from '#libs/export';
import { canonicalJson } from '#libs/contract';
import { AuditDetail, AuditEvent } from '#contract/audit/v1/audit';
import { readExport } from '#dev/testing';
import type { UserActor } from '#libs/runtime';
import { openAuditDatabase } from '../../audit/test/fixture/audit-database.ts';

const { database, log, drop } = await openAuditDatabase();
afterAll(drop);

const person: UserActor = {
  kind: 'user',
  userId: '0190a0b0-0000-7000-8000-000000000001',
  role: 'user',
  sessionId: '0190a0b0-0000-7000-8000-000000000002',
};
const large = AuditEvent.fromPartial({ action: 'x'.repeat(40_000), details: [AuditDetail.fromPartial({ name: 'a' })] });

/** Pages of large resources; `onPage` says which one is read. */
const pagesOf = (count: number, onPage: (page: number) => void = () => undefined): ExportedData => ({
  parts: [
    defineExportPart({
      type: 'event',
      message: canonicalJson('taskflow.audit.v1.AuditEvent', AuditEvent),
      tables: [],
      pages: async function* (reader) {
        for (let page = 1; page <= count; page += 1) {
          onPage(page);
          await reader.query({ name: 'page', text: 'select 1' }, []);
          yield [large, large];
        }
      },
    }),
  ],
  leftOut: {},
});

const exporterOf = (data: ExportedData, { stallMs = 30_000, maxRunning = 2 } = {}) =>
  createExporter({
    service: 'test',
    snapshots: database.snapshots,
    audit: log,
    clock: { now: () => new Date('2026-01-02T03:04:05.678Z') },
    data,
    maxRunning,
    stallMs,
  });

async function* asMessages(pieces: AsyncIterable<string>): AsyncGenerator<{ lines: string }> {
  for await (const lines of pieces) yield { lines };
}

describe('an exporter', () => {
  it('frames what it reads, so that a file that is not whole is recognised', async () => {
    const { header, byType } = await readExport(asMessages(exporterOf(pagesOf(3))(person)));
    expect(header).toEqual({
      type: 'header',
      format: 'taskflow-export',
      version: 1,
      service: 'test',
      accountId: person.userId,
      createTime: '2026-01-02T03:04:05.678Z',
    });
    expect(byType['event']).toHaveLength(6);
  });

  it('reads a page when what was read before was taken', async () => {
    let read = 0;
    const pieces = exporterOf(pagesOf(50, (page) => (read = page)))(person);
    let most = 0;
    let taken = 0;
    while ((await pieces.next()).done !== true) most = Math.max(most, read - (taken += 1));
    expect(read).toBe(50);
    expect(most).toBeLessThanOrEqual(1);
  });

  it('gives up for whoever does not read on, and lets others begin then', async () => {
    const exporter = exporterOf(pagesOf(50), { stallMs: 20, maxRunning: 1 });
    const pieces = exporter(person);
    await pieces.next();
    const other = { ...person, userId: '0190a0b0-0000-7000-8000-000000000003' };
    await expect(exporter(other).next()).rejects.toMatchObject({ reason: 'OVERLOADED' });
    const until = performance.now() + 25;
    while (performance.now() < until) await new Promise(setImmediate);
    await expect(pieces.next()).rejects.toMatchObject({ kind: 'unavailable', reason: 'EXPORT_STALLED' });
    expect((await exporter(other).next()).done).toBe(false);
  });

  it('tells the audit log before it tells anything', async () => {
    const failing = createExporter({
      service: 'test',
      snapshots: database.snapshots,
      audit: { ...log, record: () => Promise.reject(new Error('full')) },
      clock: { now: () => new Date() },
      data: pagesOf(1),
      maxRunning: 1,
    });
    await expect(failing(person).next()).rejects.toThrow('full');
  });
});
