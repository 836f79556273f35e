import { readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Migration } from '@mikro-orm/migrations';
import type { Migrations } from './orm.ts';

type MigrationClass = typeof Migration & (new (...parameters: ConstructorParameters<typeof Migration>) => Migration);

/** The migrations of a folder in their order: one file each, named by a leading number, for instance 0001-initial.ts. */
export function migrationNames(folder: string): string[] {
  return migrationFiles(folder).map(nameOf);
}

/** Loads them with a plain import, so that they run wherever our sources run. */
export async function loadMigrations(folder: string): Promise<Migrations> {
  return Promise.all(migrationFiles(folder).map(async (file) => ({ name: nameOf(file), class: await importMigration(join(folder, file)) })));
}

function migrationFiles(folder: string): string[] {
  return readdirSync(folder).filter((file) => /^\d+[\w-]*\.(ts|js)$/.test(file)).sort();
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
