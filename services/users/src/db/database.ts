import { fileURLToPath } from 'node:url';
import { idempotencyTable, pruneIdempotency, type EntityManager } from '#libs/db';
import type { Repositories } from '../deps.ts';
import { ProfileSchema } from '../domain/profile.entity.ts';
import { RemovedUserSchema } from '../domain/removed-user.entity.ts';
import { createProfileRepository } from './profile.repository.ts';

/** What the database of users is made of, for opening and for migrating it. */
export function databaseDefinition(url: string) {
  return {
    url,
    entities: [ProfileSchema, RemovedUserSchema, idempotencyTable.entity],
    migrationsPath: fileURLToPath(new URL('migrations', import.meta.url)),
  };
}

export function createRepositories(em: EntityManager): Repositories {
  return {
    profiles: createProfileRepository(em),
    requests: { prune: (limit) => pruneIdempotency(em, limit) },
  };
}
