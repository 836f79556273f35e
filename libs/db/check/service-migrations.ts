import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadMigrations, readMigration } from '../src/migration-files.ts';
import { hashOf, judgeMigrations, type MigrationFacts, type ReleasedMigrations } from './judge-migrations.ts';

/** Stands beside the migrations and lists those that may never change. */
const releasedFile = 'released.json';

/** The folders of all services' migrations, by service. */
export function migrationFolders(root: string): Map<string, string> {
  const folders = readdirSync(join(root, 'services')).map(
    (service) => [service, join(root, 'services', service, 'src/db/migrations')] as const,
  );
  return new Map(folders.filter(([, folder]) => existsSync(folder)));
}

async function readAll(folder: string): Promise<MigrationFacts[]> {
  const named = await loadMigrations(folder);
  return Promise.all(
    named.map(async (one) => {
      const { migration, texts } = await readMigration(one);
      return {
        name: one.name,
        texts,
        transactional: migration.isTransactional(),
        completes: migration.completes,
        smallTables: migration.smallTables,
      };
    }),
  );
}

function readReleased(folder: string): ReleasedMigrations {
  const file = join(folder, releasedFile);
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as ReleasedMigrations) : {};
}

/** The objections to the migrations of a folder. */
export async function checkMigrations(folder: string): Promise<string[]> {
  return judgeMigrations(await readAll(folder), readReleased(folder));
}

/** Adds the new migrations to the list of released ones and returns their names. Throws while there is an objection. */
export async function releaseMigrations(folder: string): Promise<string[]> {
  const problems = await checkMigrations(folder);
  if (problems.length > 0) throw new Error(problems.join('\n'));
  const released = readReleased(folder);
  const all = await readAll(folder);
  writeFileSync(
    join(folder, releasedFile),
    `${JSON.stringify(Object.fromEntries(all.map((facts) => [facts.name, released[facts.name] ?? hashOf(facts)])), undefined, 2)}\n`,
  );
  return all.map(({ name }) => name).filter((name) => !(name in released));
}
