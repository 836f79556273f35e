import { execFile, spawnSync } from 'node:child_process';
import {
  accessSync,
  constants,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
} from 'node:fs';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { makePrivateFolder, stateHome } from './instance.ts';

export interface RedisBinary {
  readonly path: string;
  /** What the program needs in its environment. */
  readonly env: NodeJS.ProcessEnv;
}

export interface RedisBinaryOptions {
  /** Where an unpacked copy is kept. */
  readonly cache?: string;
  /** Searched like PATH. */
  readonly path?: string;
  readonly report?: (line: string) => void;
}

/** redis-server is a link to redis-check-rdb, which is in redis-tools; the rest are the libraries it needs. */
const packages = ['redis-tools', 'liblzf1', 'libjemalloc2', 'libatomic1'];
const run = promisify(execFile);

/** A Redis program: of the machine, or a private copy unpacked from the distribution's packages (no root needed). */
export async function findRedisBinary(options: RedisBinaryOptions = {}): Promise<RedisBinary> {
  const {
    cache = join(stateHome, 'redis-program'),
    path = process.env['PATH'] ?? '',
    report = () => undefined,
  } = options;
  const installed = findOnPath(path);
  if (installed !== undefined) return { path: installed, env: {} };
  const cached = unpackedIn(cache);
  if (runs(cached)) return cached;
  if (!canUnpack(path)) throw new Error(installHint('it is neither on the PATH nor can it be unpacked here', path));
  report('Redis is not on this machine: fetching a private copy from the distribution’s packages');
  return fetchInto(cache, path);
}

async function fetchInto(cache: string, path: string): Promise<RedisBinary> {
  try {
    await unpack(cache);
  } catch (error) {
    throw new Error(installHint(`fetching a private copy failed: ${(error as Error).message.trim()}`, path), {
      cause: error,
    });
  }
  const unpacked = unpackedIn(cache);
  if (!runs(unpacked)) throw new Error(installHint('the unpacked copy does not run here', path));
  return unpacked;
}

function canUnpack(path: string): boolean {
  return findProgram('apt-get', path) !== undefined && findProgram('dpkg', path) !== undefined;
}

/** By its package manager: how a system installs Redis, or Valkey where the distribution has that instead. */
const installLines: Readonly<Record<string, string>> = {
  brew: 'brew install redis',
  'apt-get': 'sudo apt-get install redis-server',
  dnf: 'sudo dnf install valkey',
  yum: 'sudo yum install redis',
  pacman: 'sudo pacman -S valkey',
  zypper: 'sudo zypper install redis',
  apk: 'sudo apk add valkey',
};

function installHint(reason: string, path: string): string {
  const manager = Object.keys(installLines).find((name) => findProgram(name, path) !== undefined);
  const line = manager === undefined ? 'Install redis-server or valkey-server' : `Type "${installLines[manager]}"`;
  return `no Redis: ${reason}. ${line}, or set TASKFLOW_REDIS_URL to a Redis of yours`;
}

function findProgram(name: string, path: string): string | undefined {
  return path
    .split(delimiter)
    .filter((folder) => folder !== '')
    .map((folder) => join(folder, name))
    .find(isExecutable);
}

function findOnPath(path: string): string | undefined {
  return ['redis-server', 'valkey-server']
    .map((name) => findProgram(name, path))
    .find((found) => found !== undefined && runs({ path: found, env: {} }));
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function runs({ path, env }: RedisBinary): boolean {
  return (
    existsSync(path) &&
    spawnSync(path, ['--version'], { env: { ...process.env, ...env }, stdio: 'ignore' }).status === 0
  );
}

function unpackedIn(cache: string): RedisBinary {
  const library = join(cache, 'usr', 'lib');
  const folders = existsSync(library) ? readdirSync(library).filter((name) => name.includes('linux')) : [];
  const searched = [...folders.map((name) => join(library, name)), library].join(':');
  return { path: join(cache, 'usr', 'bin', 'redis-server'), env: { LD_LIBRARY_PATH: searched } };
}

async function unpack(cache: string): Promise<void> {
  const work = mkdtempSync(join(makePrivateFolder(stateHome), 'redis-unpack-'));
  try {
    const apt = privateAptOptions(work);
    const limits = { cwd: work, timeout: 180_000, maxBuffer: 16 * 1024 * 1024 };
    await run('apt-get', [...apt, '--quiet=2', 'update'], limits);
    await run('apt-get', [...apt, '--quiet=2', 'download', ...packages], limits);
    const root = join(work, 'root');
    for (const file of readdirSync(work).filter((name) => name.endsWith('.deb')))
      await run('dpkg', ['-x', file, root], limits);
    const program = join(root, 'usr', 'bin', 'redis-server');
    if (!existsSync(program)) symlinkSync('redis-check-rdb', program);
    // Another start may have been faster; its copy may be in use already.
    if (runs(unpackedIn(cache))) return;
    rmSync(cache, { recursive: true, force: true });
    renameSync(root, cache);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/** Own package lists and cache: neither root's rights nor up-to-date lists of the system are needed. */
function privateAptOptions(work: string): string[] {
  for (const folder of ['lists/partial', 'archives/partial', 'root'])
    mkdirSync(join(work, folder), { recursive: true });
  const settings = {
    'Dir::State::Lists': join(work, 'lists'),
    'Dir::Cache': work,
    'Dir::Cache::archives': join(work, 'archives'),
    // As root apt would change to a user of its own, who may not write here.
    'APT::Sandbox::User': '""',
    'Acquire::Retries': '2',
    'Acquire::Languages': 'none',
  };
  return Object.entries(settings).flatMap(([name, value]) => ['-o', `${name}=${value}`]);
}
