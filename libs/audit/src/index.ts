export { auditTables } from './audit-tables.ts';
export { createAuditLog, type AuditEntry, type AuditLog, type AuditTargetKind, type AuditTrail } from './audit-log.ts';
export { openAudit } from './open-audit.ts';
export { bindAudit, toAuditEventMessage } from './audit.handlers.ts';
export { listAuditEvents } from './list-events.ts';
export { verifyAuditLog } from './verify.ts';
