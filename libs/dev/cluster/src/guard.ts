import { spawn, type ChildProcess } from 'node:child_process';
import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isRunning, refOf, stopProcess, waitForExit, type ProcessRef, type StopStep } from './processes.ts';

export type Role = 'service' | 'redis' | 'postgres';

export interface GuardedProcess extends ProcessRef {
  readonly role: Role;
}

/** Services go first, so that they can drain against a living Redis and PostgreSQL. */
export const stopOrder: readonly Role[] = ['service', 'redis', 'postgres'];

/** SIGINT is PostgreSQL's fast shutdown (sessions are ended), SIGQUIT its immediate one (recovery at the next start). */
export const stopSteps: Record<Role, readonly StopStep[]> = {
  service: [
    { signal: 'SIGTERM', waitMs: 25_000 },
    { signal: 'SIGKILL', waitMs: 5_000 },
  ],
  redis: [
    { signal: 'SIGTERM', waitMs: 10_000 },
    { signal: 'SIGKILL', waitMs: 5_000 },
  ],
  postgres: [
    { signal: 'SIGINT', waitMs: 15_000 },
    { signal: 'SIGQUIT', waitMs: 10_000 },
    { signal: 'SIGKILL', waitMs: 5_000 },
  ],
};

/** Stops all of them, role by role. */
export async function stopInOrder(processes: readonly GuardedProcess[]): Promise<void> {
  for (const role of stopOrder) {
    const ofRole = processes.filter((entry) => entry.role === role);
    await Promise.allSettled(ofRole.map((entry) => stopProcess(entry, stopSteps[role])));
  }
}

/**
 * Sees to it that what this process started does not outlive it, even when it is killed with SIGKILL: a small second
 * process holds a pipe to this one and stops everything that is watched when the pipe closes.
 */
export interface Guard {
  watch(process: GuardedProcess): void;
  forget(process: ProcessRef): void;
  /** Ends the guarding. Whatever is still watched then is stopped. */
  close(): Promise<void>;
}

interface RunRecord {
  watchdog?: ProcessRef;
  processes: GuardedProcess[];
}

const recordFile = (dir: string): string => join(dir, 'processes.json');

function readRecord(dir: string): RunRecord {
  try {
    return JSON.parse(readFileSync(recordFile(dir), 'utf8')) as RunRecord;
  } catch {
    return { processes: [] };
  }
}

function writeRecord(dir: string, record: RunRecord): void {
  const draft = `${recordFile(dir)}.new`;
  writeFileSync(draft, JSON.stringify(record), { mode: 0o600 });
  renameSync(draft, recordFile(dir));
}

/** Opens a guard that keeps its record in the folder. With `removeDir`, the folder is deleted when this process is lost. */
export function openGuard(dir: string, removeDir = false): Guard {
  const script = fileURLToPath(new URL('../bin/watchdog.ts', import.meta.url));
  // Detached: Ctrl-C reaches the whole process group of the terminal, and the watchdog must outlive us.
  const args = [script, ...(removeDir ? [dir] : [])];
  const child = spawn(process.execPath, args, { cwd: '/', detached: true, stdio: ['pipe', 'ignore', 'ignore'] });
  return guardOver(dir, child);
}

function guardOver(dir: string, child: ChildProcess): Guard {
  const input = child.stdin;
  if (child.pid === undefined || input === null) throw new Error('the watchdog could not be started');
  const watchdog = refOf(child.pid);
  const watched = new Map<number, GuardedProcess>();
  input.on('error', () => undefined);
  child.unref();
  (input as unknown as { unref(): void }).unref();
  const publish = (): void => {
    const processes = [...watched.values()];
    writeRecord(dir, { watchdog, processes });
    input.write(`${JSON.stringify(processes)}\n`);
  };
  return {
    watch: (entry) => {
      watched.set(entry.pid, entry);
      publish();
    },
    forget: (entry) => {
      if (watched.delete(entry.pid)) publish();
    },
    close: async () => {
      const last = [...watched.values()];
      // What hears of their ends only later publishes nothing: the folder may be gone by then.
      watched.clear();
      await stopInOrder(last);
      input.end('done\n');
      await waitForExit(watchdog, 10_000);
      rmSync(recordFile(dir), { force: true });
    },
  };
}

/** Waits for the watchdog of a run that was killed, then stops whatever that run left behind. */
export async function clearLeftovers(dir: string, report: (line: string) => void): Promise<void> {
  const { watchdog, processes } = readRecord(dir);
  if (watchdog !== undefined && isRunning(watchdog)) {
    report('an earlier run was killed; its processes are being stopped');
    // A little longer than a draining service, Redis and PostgreSQL may take together.
    await waitForExit(watchdog, 60_000);
  }
  const left = processes.filter(isRunning);
  if (left.length > 0) report(`stopping ${left.length} processes that an earlier run left behind`);
  await stopInOrder(left);
  rmSync(recordFile(dir), { force: true });
}
