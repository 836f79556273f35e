// What the scripts of package.json run: plain JavaScript for the Node that happens to be installed (20 or later). It installs
// the locked dependencies when needed, then hands over to the pinned Node among them. --help is answered without either.
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { constants } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ensureInstalled, findPinnedNode, isInstalled } from '../boot/install.mjs';
import { startTimeOf } from '../boot/lock.mjs';
import { asksForHelp, usageOf } from '../boot/usage.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..', '..', '..');
const targets = {
  start: 'libs/dev/cluster/bin/start.ts',
  test: 'libs/dev/cluster/bin/test.ts',
  taskflow: 'services/cli/main.ts',
  import: 'services/tasks/import/main.ts',
  export: 'services/tasks/export/main.ts',
  seed: 'services/tasks/seed/main.ts',
  admin: 'services/auth/admin/main.ts',
  bench: 'libs/dev/bench/bin/bench.ts',
  drill: 'libs/dev/drill/main.ts',
  soak: 'libs/dev/soak/main.ts',
  'crash-test': 'libs/dev/crash-test/main.ts',
  'proto:generate': 'libs/contract/bin/generate.ts',
  'proto:check': 'libs/contract/bin/check.ts',
  'migrations:check': 'libs/db/bin/check-migrations.ts',
  'migrations:release': 'libs/db/bin/release-migrations.ts',
  secrets: 'deploy/secrets.ts',
  certificates: 'deploy/certificates.ts',
  manifests: 'deploy/generate.ts',
};
const [target, ...args] = process.argv.slice(2);
/** Standard output of the command line is its result. */
const news = target === 'taskflow' ? process.stderr : process.stdout;
const say = (line) => news.write(`taskflow: ${line}\n`);

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
    if (['sh', 'dash', 'bash'].includes(command))
      found.push(Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]));
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

function run(node, script) {
  const path = [join(root, 'node_modules', '.bin'), process.env.PATH ?? ''].join(delimiter);
  // A service starts in half the time when its modules are already compiled.
  const compiled = process.env.NODE_COMPILE_CACHE ?? join(root, 'node_modules', '.cache', 'compiled');
  // The channel tells the program that we have ended, however that happened.
  child = spawn(node, [script, ...args], {
    stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
    env: { ...process.env, PATH: path, NODE_COMPILE_CACHE: compiled },
  });
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
  const script = join(root, targets[target]);
  // The command line tells more itself, as soon as it can run.
  const tellsItself = target === 'taskflow' && isInstalled(root);
  if (asksForHelp(args) && !tellsItself) return void process.stdout.write(`${usageOf(script)}\n`);
  if (process.platform === 'win32')
    return fail('Windows is not supported: run this in WSL (Windows Subsystem for Linux)');
  watchAncestors();
  await ensureInstalled(root, say, (npm) => {
    child = npm;
  });
  child = undefined;
  if (stopping !== undefined) return fail(`stopped by ${stopping}`);
  const { path, reason } = findPinnedNode(root);
  if (path === undefined) return fail(reason);
  run(path, script);
}

await main().catch((error) => fail(stopping === undefined ? error.message : `stopped by ${stopping}`));
