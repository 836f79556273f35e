export { auditTables } from './audit-tables.ts';
export { createAuditLog, type AuditEntry, type AuditLog, type AuditTargetKind, type AuditTrail } from './audit-log.ts';
export { openAudit } from './open-audit.ts';
export { bindAudit } from './audit.handlers.ts';
export { verifyAuditLog } from './verify.ts';
