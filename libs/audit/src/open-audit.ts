import type { Database } from '#libs/db';
import type { Logger, Metrics, Part, ServiceConfig } from '#libs/runtime';
import { createAuditLog, type AuditLog } from './audit-log.ts';

interface AuditUser {
  config: Pick<ServiceConfig, 'service' | 'auditRetentionMs'>;
  logger: Logger;
  metrics: Metrics;
  parts: { add(part: Part): void };
}

const defaultRetentionMs = 400 * 86_400_000;

/** Opens the audit log of a service, in its own database, and keeps it in order until the service stops. */
export function openAudit(service: AuditUser, database: Pick<Database, 'unitOfWork' | 'reader'>): AuditLog {
  const { config, logger, metrics, parts } = service;
  const log = createAuditLog({
    service: config.service,
    database,
    logger,
    metrics,
    retentionMs: config.auditRetentionMs ?? defaultRetentionMs,
  });
  log.start();
  parts.add({ name: 'audit log', stop: () => log.stop() });
  return log;
}
