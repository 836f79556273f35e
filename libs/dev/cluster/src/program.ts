import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
} from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { checkoutRoot, stateHome } from './instance.ts';

/** How a program of the checkout is started: `node ...execArgv script`, with `env` over its other environment. */
export interface Program {
  readonly script: string;
  readonly execArgv: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

export interface ProgramOptions {
  /** The checkout that the program is of. Only our own is bundled. */
  readonly root?: string | undefined;
  /** Runs the sources themselves: for what replaces a piece of one while it is loaded. */
  readonly fromSources?: boolean | undefined;
}

const home = join(stateHome, 'bundles');
const script = 'libs/dev/cluster/bin/bundle.ts';
const otherInputs = [
  script,
  'deploy/healthcheck.ts',
  'deploy/secrets.ts',
  'proto/docs/openapi.json',
  'package.json',
  'package-lock.json',
];
/** How long bundles of earlier sources stay unused: a cluster may run from one, and drafts are being written. */
const keptMs = 24 * 3_600_000;
let bundle: Promise<string> | undefined;

/** A program that an image has, as the image runs it: from the bundle, which is made when there is none of these sources. */
export async function programOf(
  source: string,
  { root = checkoutRoot, fromSources = false }: ProgramOptions = {},
): Promise<Program> {
  if (root !== checkoutRoot || fromSources) return { script: join(root, source), execArgv: [], env: {} };
  const folder = await (bundle ??= ensureBundle());
  return {
    script: join(folder, source.replace(/\.ts$/, '.js')),
    execArgv: ['--enable-source-maps'],
    env: { NODE_COMPILE_CACHE: join(folder, 'compiled') },
  };
}

async function ensureBundle(): Promise<string> {
  const folder = join(home, hashFiles([...sourcesIn('libs'), ...sourcesIn('services'), ...otherInputs]));
  if (!existsSync(folder)) await makeBundle(folder);
  utimesSync(folder, new Date(), new Date());
  return folder;
}

/** In a process of its own, so that what it takes of memory ends with it. */
async function makeBundle(folder: string): Promise<void> {
  mkdirSync(home, { recursive: true, mode: 0o711 });
  const draft = mkdtempSync(join(home, 'new-'));
  try {
    await promisify(execFile)(process.execPath, [join(checkoutRoot, script), draft], { cwd: checkoutRoot });
    renameSync(draft, folder);
  } catch (error) {
    // Somebody else was faster, with the same.
    if (!existsSync(folder)) throw error;
  } finally {
    rmSync(draft, { recursive: true, force: true });
  }
  removeOld();
}

function removeOld(): void {
  for (const path of readdirSync(home).map((name) => join(home, name))) {
    // Another run may have removed it.
    const usedAt = statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? Infinity;
    if (usedAt < Date.now() - keptMs) rmSync(path, { recursive: true, force: true });
  }
}

const isSource = (path: string): boolean =>
  /\.(binpb|css|html|svg|tsx?|webmanifest)$/.test(path) && !/(^|\/)(dev|test|bench)\/|\.test\.ts$/.test(path);

/** The files of a folder of the checkout that ship. */
export function sourcesIn(folder: string): string[] {
  return readdirSync(join(checkoutRoot, folder), { recursive: true, encoding: 'utf8' })
    .filter(isSource)
    .toSorted()
    .map((path) => join(folder, path));
}

/** Of the names and contents of files of the checkout. */
export function hashFiles(paths: readonly string[]): string {
  const hash = createHash('sha256');
  for (const path of paths)
    hash
      .update(`${path}\0`)
      .update(readFileSync(join(checkoutRoot, path)))
      .update('\0');
  return hash.digest('hex').slice(0, 16);
}
