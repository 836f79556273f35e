import { AuditEvent } from '#contract/audit/v1/audit';
import { canonicalJson } from '#libs/contract';
import { listAuditEvents, toAuditEventMessage } from '#libs/audit';
import { defineExportPart } from './export-part.ts';
import { readPages } from './pages.ts';

/** What was done to the person's account in this service, newest first. */
export const auditEvents = defineExportPart({
  type: 'audit_event',
  message: canonicalJson('taskflow.audit.v1.AuditEvent', AuditEvent),
  tables: ['audit.chain', 'audit.waiting'],
  pages: async function* (reader, { userId: accountId }) {
    const pages = readPages(
      (before: bigint | undefined, limit) => listAuditEvents(reader, { accountId }, before, limit),
      ({ position }) => position,
    );
    for await (const events of pages) yield events.map(toAuditEventMessage);
  },
});

/** The tables that every service has and that hold nothing of a person's own. */
export const commonTables = {
  'audit.head': 'the last place of the audit log',
  idempotency_records: 'answers to repeats of the last day; what they tell of is exported',
  schema_migrations: 'which migrations have run',
} as const;
