import { readFileSync, unlinkSync } from 'node:fs';

let orders: string | undefined;

/**
 * Makes crash points work in this process. When the file names a point, the first process that passes it removes the
 * file and dies as by SIGKILL; "NAME SIGSTOP" freezes it instead, until SIGCONT. For crash tests only: the
 * configuration refuses it in production. Undefined turns them off.
 */
export function armCrashPoints(file: string | undefined): void {
  orders = file;
}

/** Names a place where a test may crash the process: "ingest.before-commit". Does nothing unless armed. */
export function crashPoint(name: string): void {
  if (orders === undefined) return;
  const signal = takeOrder(orders, name);
  if (signal === undefined) return;
  process.kill(process.pid, signal);
  // Not one more statement of the caller may run.
  if (signal === 'SIGKILL') Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
}

/** Several processes share the file: the one that removes it carries the order out. */
function takeOrder(file: string, name: string): 'SIGKILL' | 'SIGSTOP' | undefined {
  try {
    const [point, signal] = readFileSync(file, 'utf8').trim().split(' ');
    if (point !== name) return undefined;
    unlinkSync(file);
    return signal === 'SIGSTOP' ? signal : 'SIGKILL';
  } catch {
    return undefined;
  }
}
