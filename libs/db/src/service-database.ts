import type { Logger, Metrics, Part, ServiceConfig, SharedClock } from '#libs/runtime';
import { openDatabase, type Database, type DatabaseDefinition } from './database.ts';
import { followDatabaseClock } from './follow-clock.ts';

interface DatabaseUser {
  config: Pick<ServiceConfig, 'service' | 'databaseUrl' | 'previousDatabaseUrls' | 'poolSize'>;
  logger: Logger;
  metrics: Metrics;
  /** Follows the time of the database. */
  clock: SharedClock;
  parts: { add(part: Part): void };
}

/** Opens the service's own database. It closes when the service stops. */
export async function openServiceDatabase(
  service: DatabaseUser,
  definitionOf: (url: string) => DatabaseDefinition,
): Promise<Database> {
  const { config, logger, metrics, clock, parts } = service;
  const definition = definitionOf(config.databaseUrl);
  const database = await openDatabase({
    ...definition,
    previousUrls: config.previousDatabaseUrls,
    poolSize: config.poolSize,
    logger,
    metrics,
    applicationName: `taskflow-${config.service}`,
  });
  parts.add({ name: 'database', stop: () => database.close() });
  const following = followDatabaseClock({ reader: database.reader, clock, logger, metrics });
  parts.add({ name: 'clock', stop: following.stop });
  // What is built on it then begins with the right time.
  await following.first;
  return database;
}
