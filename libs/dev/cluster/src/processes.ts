import { execFileSync, type ChildProcess } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { startTimeOf, type ProcessRef } from '../boot/lock.mjs';

export type { ProcessRef } from '../boot/lock.mjs';

/** One step of stopping a process: the signal, and how long it may take to act on it. */
export interface StopStep {
  readonly signal: NodeJS.Signals;
  readonly waitMs: number;
}

/** The reference of a running process. Throws when it has ended already. */
export function refOf(pid: number): ProcessRef {
  const startTime = startTimeOf(pid);
  if (startTime === undefined) throw new Error(`process ${pid} has ended`);
  return { pid, startTime };
}

/** The reference of a child that has just been started. If it has ended already, the reference is of no running process. */
export async function refOfChild(child: ChildProcess): Promise<ProcessRef> {
  await new Promise<void>((resolve, reject) => child.once('spawn', resolve).once('error', reject));
  const pid = child.pid as number;
  return { pid, startTime: startTimeOf(pid) ?? 'ended' };
}

export function isRunning(ref: ProcessRef): boolean {
  return startTimeOf(ref.pid) === ref.startTime;
}

/** Waits until the process has ended; false when the time is over first. */
export async function waitForExit(ref: ProcessRef, waitMs: number): Promise<boolean> {
  const until = performance.now() + waitMs;
  while (isRunning(ref)) {
    if (performance.now() > until) return false;
    await pause(25);
  }
  return true;
}

function sendSignal(ref: ProcessRef, signal: NodeJS.Signals): void {
  if (!isRunning(ref)) return;
  try {
    process.kill(ref.pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/** Sends each signal in turn until the process has ended. Never signals another process that got the same pid. */
export async function stopProcess(ref: ProcessRef, steps: readonly StopStep[]): Promise<void> {
  for (const { signal, waitMs } of steps) {
    sendSignal(ref, signal);
    if (await waitForExit(ref, waitMs)) return;
  }
  throw new Error(`process ${ref.pid} did not end after ${steps.map((step) => step.signal).join(', ')}`);
}

/** The process ids of all children of a process. */
export function childrenOf(pid: number): number[] {
  const parents: [child: number, parent: number][] =
    process.platform === 'linux'
      ? readdirSync('/proc')
          .filter((name) => /^\d+$/.test(name))
          .map((name) => [Number(name), parentOf(name)])
      : execFileSync('ps', ['-A', '-o', 'pid=,ppid='], { encoding: 'utf8' })
          .trim()
          .split('\n')
          .map((line) => line.trim().split(/\s+/).map(Number) as [number, number]);
  return parents.filter(([, parent]) => parent === pid).map(([child]) => child);
}

function parentOf(pid: string): number {
  try {
    return Number(/^PPid:\s*(\d+)$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);
  } catch {
    // It has ended meanwhile.
    return 0;
  }
}

/** Signals the process first, so that it starts no more children, and then its children. */
export function signalFamily(pid: number, signal: NodeJS.Signals): void {
  process.kill(pid, signal);
  for (const child of childrenOf(pid)) {
    const ref = startTimeOf(child);
    if (ref !== undefined) sendSignal({ pid: child, startTime: ref }, signal);
  }
}

/** The command line of a process, joined with blanks; empty when it cannot be read. */
export function commandLineOf(pid: number): string {
  try {
    if (process.platform === 'linux') return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
    return execFileSync('ps', ['-o', 'command=', '-p', String(pid)], { encoding: 'utf8' });
  } catch {
    return '';
  }
}
