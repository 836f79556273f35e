// What `npm start`, `npm test`, `npm run import`, `npm run export` and `npm run bench` run: plain JavaScript for the Node that happens to be installed
// (20 or later). It installs the locked dependencies when needed, then hands over to the pinned Node among them.
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { constants } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ensureInstalled, findPinnedNode } from '../boot/install.mjs';
import { startTimeOf } from '../boot/lock.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..', '..');
const targets = {
  start: 'libs/devcluster/bin/start.ts',
  test: 'libs/devcluster/bin/test.ts',
  import: 'services/tasks/import/main.ts',
  export: 'services/tasks/export/main.ts',
  seed: 'libs/devcluster/bin/seed.ts',
  bench: 'libs/bench/bin/bench.ts',
  drill: 'services/test/drill/main.ts',
  soak: 'services/test/soak/main.ts',
  'crash-test': 'services/scheduler/crash-test/main.ts',
};
const [target, ...args] = process.argv.slice(2);
const say = (line) => process.stdout.write(`taskflow: ${line}\n`);

let child;
let stopping;

function stop(signal) {
  stopping = signal;
  if (child !== undefined && child.exitCode === null && child.signalCode === null) child.kill(signal);
}

/**
 * Every signal is passed on. Ctrl-C reaches the whole process group, and npm forwards it too: the programs started here
 * take several signals within two seconds as one, so nothing is stopped twice.
 */
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => stop(signal));

/** npm runs us through a shell, which would not notice the end of npm, so both of them are watched. */
function ancestors() {
  if (process.env.npm_lifecycle_event === undefined) return [];
  const found = [process.ppid];
  try {
    const stat = readFileSync(`/proc/${process.ppid}/stat`, 'utf8');
    const command = stat.slice(stat.indexOf('(') + 1, stat.lastIndexOf(')'));
    if (['sh', 'dash', 'bash'].includes(command)) found.push(Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]));
  } catch {
    // Not Linux: the parent alone has to do.
  }
  return found.filter((pid) => pid > 1).map((pid) => ({ pid, startTime: startTimeOf(pid) }));
}

function watchAncestors() {
  const watched = ancestors();
  if (watched.length === 0) return;
  const timer = setInterval(() => {
    if (watched.every(({ pid, startTime }) => startTimeOf(pid) === startTime)) return;
    clearInterval(timer);
    stop('SIGTERM');
  }, 250);
  timer.unref();
}

function run(node) {
  const path = [join(root, 'node_modules', '.bin'), process.env.PATH ?? ''].join(delimiter);
  const script = join(root, targets[target]);
  // A service starts in half the time when its modules are already compiled.
  const compiled = process.env.NODE_COMPILE_CACHE ?? join(root, 'node_modules', '.cache', 'compiled');
  // The channel tells the program that we have ended, however that happened.
  child = spawn(node, [script, ...args], { stdio: ['inherit', 'inherit', 'inherit', 'ipc'], env: { ...process.env, PATH: path, NODE_COMPILE_CACHE: compiled } });
  child.once('error', (error) => fail(`the pinned Node cannot be started: ${error.message}`));
  child.once('exit', (code, signal) => {
    process.exitCode = code ?? 128 + (constants.signals[signal] ?? 0);
  });
}

function fail(message) {
  process.stderr.write(`taskflow: ${message}\n`);
  process.exitCode = 1;
}

async function main() {
  if (!Object.hasOwn(targets, target ?? '')) return fail(`say what to run: ${Object.keys(targets).join(', ')}`);
  watchAncestors();
  await ensureInstalled(root, say, (npm) => {
    child = npm;
  });
  child = undefined;
  if (stopping !== undefined) return fail(`stopped by ${stopping}`);
  const { path, reason } = findPinnedNode(root);
  if (path === undefined) return fail(reason);
  run(path);
}

await main().catch((error) => fail(stopping === undefined ? error.message : `stopped by ${stopping}`));
