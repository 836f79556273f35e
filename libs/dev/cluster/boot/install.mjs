// Plain JavaScript without dependencies, for any Node from 20 on: sees to it that node_modules is what the lockfile says.
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { tryLock } from './lock.mjs';

const dependencyFields = ['dependencies', 'devDependencies', 'optionalDependencies', 'overrides', 'allowScripts'];

function readJson(path) {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    return undefined;
  }
}

/** Changes whenever an install could come out differently: other dependencies, another platform. */
export function stampOf(root) {
  const manifest = readJson(join(root, 'package.json')) ?? {};
  const wanted = dependencyFields.map((field) => manifest[field] ?? null);
  const hash = createHash('sha256').update(readFileSync(join(root, 'package-lock.json')));
  return hash.update(JSON.stringify([wanted, process.platform, process.arch])).digest('hex');
}

const stampFile = (root) => join(root, 'node_modules', '.taskflow-stamp');

function writeStamp(root) {
  try {
    writeFileSync(stampFile(root), `${stampOf(root)}\n`);
  } catch (error) {
    // An install that somebody else owns serves as well; it is only compared anew each time.
    if (error.code !== 'EACCES' && error.code !== 'EROFS') throw error;
  }
}

function hasStamp(root) {
  try {
    return readFileSync(stampFile(root), 'utf8').trim() === stampOf(root);
  } catch {
    return false;
  }
}

/**
 * Whether an install by hand (npm ci, npm install) left what the lockfile says: npm keeps a list of what it installed,
 * which it writes last. Optional packages may be absent, for most are for other platforms.
 */
export function matchesLockfile(root) {
  const wanted = readJson(join(root, 'package-lock.json'))?.packages;
  const installed = readJson(join(root, 'node_modules', '.package-lock.json'))?.packages;
  if (wanted === undefined || installed === undefined) return false;
  const same = ([path, entry]) => {
    const found = installed[path];
    if (found === undefined) return entry.optional === true || entry.devOptional === true || path === '';
    return found.version === entry.version && found.integrity === entry.integrity;
  };
  return Object.entries(wanted).every(same) && Object.keys(installed).every((path) => path in wanted);
}

/** Where the pinned Node may stand; the packages of the platforms are named differently. */
function pinnedNodePaths(root) {
  const packages = [`node-${process.platform}-${process.arch}`, `node-bin-${process.platform}-${process.arch}`];
  return [
    ...packages.map((name) => join(root, 'node_modules', name, 'bin', 'node')),
    join(root, 'node_modules', '.bin', 'node'),
  ];
}

export function findPinnedNode(root) {
  const manifest = readJson(join(root, 'package.json')) ?? {};
  const wanted = Object.entries(manifest.optionalDependencies ?? {}).find(([name]) =>
    /^node-(bin-)?\w+-\w+$/.test(name),
  )?.[1];
  const major = String(wanted ?? '26').split('.')[0];
  let reason = `the package node-${process.platform}-${process.arch} is not installed (is this platform among the supported ones, and were optional dependencies left out?)`;
  for (const path of pinnedNodePaths(root).filter((candidate) => existsSync(candidate))) {
    const { status, stdout, error } = spawnSync(path, ['--version'], { encoding: 'utf8' });
    const version = (stdout ?? '').trim();
    if (status === 0 && version.startsWith(`v${major}.`)) return { path };
    reason =
      status === 0
        ? `${path} is ${version}`
        : `${path} does not run here${error === undefined ? '' : `: ${error.message}`}`;
  }
  return { reason: `TaskFlow runs on Node ${wanted ?? major}, which npm installs with it, but ${reason}` };
}

export function isInstalled(root) {
  return hasStamp(root) && existsSync(join(root, 'node_modules', '.package-lock.json'));
}

/** npm itself says where it is when it started us; else the one on the PATH is used. */
function npmCommand() {
  const script = process.env.npm_execpath;
  return script !== undefined && /npm-cli\.c?js$/.test(script) && existsSync(script)
    ? [process.execPath, script]
    : ['npm'];
}

async function runNpmCi(root, say, onChild) {
  const [program, ...first] = npmCommand();
  // NODE_ENV=production and --omit would leave out what npm start and npm test need.
  const args = [
    ...first,
    'ci',
    '--loglevel=error',
    '--no-audit',
    '--no-fund',
    '--no-update-notifier',
    '--include=dev',
    '--include=optional',
  ];
  const began = performance.now();
  const seconds = () => Math.round((performance.now() - began) / 1000);
  say('installing the locked dependencies (npm ci); the first time this takes a minute or so');
  const ticker = setInterval(() => say(`npm ci is still at it after ${seconds()} s`), 5_000);
  const child = spawn(program, args, { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] });
  onChild(child);
  const code = await new Promise((resolve, reject) => {
    child.once('error', (error) => reject(new Error(`npm cannot be started: ${error.message}`)));
    child.once('exit', resolve);
  }).finally(() => clearInterval(ticker));
  if (code !== 0) throw new Error(`npm ci failed after ${seconds()} s (exit code ${code}); its message stands above`);
  say(`installed in ${seconds()} s`);
}

async function lockInstall(root, say) {
  mkdirSync(join(root, '.taskflow'), { recursive: true, mode: 0o711 });
  const path = join(root, '.taskflow', 'install.lock');
  let said = false;
  for (;;) {
    const lock = tryLock(path);
    if (lock.release !== undefined) return lock;
    if (!said) say(`waiting for process ${lock.holder.pid}, which is installing the dependencies`);
    said = true;
    await pause(500);
  }
}

/** Installs when needed. Several processes may call it at once; one installs, the others wait for it. */
export async function ensureInstalled(root, say, onChild = () => undefined) {
  if (isInstalled(root)) return;
  const lock = await lockInstall(root, say);
  try {
    if (isInstalled(root)) return;
    if (!matchesLockfile(root)) await runNpmCi(root, say, onChild);
    writeStamp(root);
  } finally {
    lock.release();
  }
}
