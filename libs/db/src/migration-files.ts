import { readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Migration } from './migration.ts';

type MigrationClass = new (...parameters: ConstructorParameters<typeof Migration>) => Migration;

export interface NamedMigration {
  name: string;
  class: MigrationClass;
}

/** The migrations of a folder in order. Each file has one and a leading number in its name: 0001-initial.ts. */
export function migrationNames(folder: string): string[] {
  return migrationFiles(folder).map(nameOf);
}

/** Loads them with a plain import, so that they run wherever our sources run. */
export async function loadMigrations(folder: string): Promise<NamedMigration[]> {
  return Promise.all(
    migrationFiles(folder).map(async (file) => ({
      name: nameOf(file),
      class: await importMigration(join(folder, file)),
    })),
  );
}

/** The statements and marks of a migration on the way up, without a database. A text may hold several statements. */
export async function readMigration({
  class: ofMigration,
}: NamedMigration): Promise<{ migration: Migration; texts: string[] }> {
  const migration = new ofMigration(undefined as never, undefined as never);
  await migration.up();
  return { migration, texts: migration.getQueries().map(String) };
}

function migrationFiles(folder: string): string[] {
  return readdirSync(folder)
    .filter((file) => /^\d+[\w-]*\.(ts|js)$/.test(file))
    .sort();
}

function nameOf(file: string): string {
  return basename(file).replace(/\.(ts|js)$/, '');
}

async function importMigration(path: string): Promise<MigrationClass> {
  const exported = Object.values((await import(pathToFileURL(path).href)) as Record<string, unknown>);
  const classes = exported.filter((value) => typeof value === 'function' && value.prototype instanceof Migration);
  if (classes.length !== 1) throw new Error(`${basename(path)} must export one class that extends Migration`);
  return classes[0] as MigrationClass;
}
