import { readFileSync, unlinkSync } from 'node:fs';

let orders: string | undefined;

/**
 * Makes crash points work in this process: whenever the file names one, the first process that passes it removes the file
 * and dies as by SIGKILL; "NAME SIGSTOP" freezes it there instead, until somebody sends SIGCONT. For crash tests only; the
 * configuration refuses it in production. Undefined turns them off.
 */
export function armCrashPoints(file: string | undefined): void {
  orders = file;
}

/** A place where a crash is of interest, by its name: "ingest.before-commit". Does nothing unless armed. */
export function crashPoint(name: string): void {
  if (orders === undefined) return;
  const signal = takeOrder(orders, name);
  if (signal === undefined) return;
  process.kill(process.pid, signal);
  // Not one more statement of the caller.
  if (signal === 'SIGKILL') Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
}

/** Several processes share the file: who removes it has the order. */
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
