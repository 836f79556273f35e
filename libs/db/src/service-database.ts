import type { Logger, Metrics, Part, ServiceConfig } from '#libs/runtime';
import { openDatabase, type Database, type DatabaseDefinition } from './database.ts';

interface DatabaseUser {
  config: Pick<ServiceConfig, 'service' | 'databaseUrl' | 'poolSize'>;
  logger: Logger;
  metrics: Metrics;
  parts: { add(part: Part): void };
}

/** The service's own database, as a part of the service: it is closed when the service stops. */
export async function openServiceDatabase(service: DatabaseUser, definitionOf: (url: string) => DatabaseDefinition): Promise<Database> {
  const { config, logger, metrics, parts } = service;
  const definition = definitionOf(config.databaseUrl);
  const database = await openDatabase({ ...definition, poolSize: config.poolSize, logger, metrics, applicationName: `taskflow-${config.service}` });
  parts.add({ name: 'database', stop: () => database.close() });
  return database;
}
