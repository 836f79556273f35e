import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { clearLeftovers } from './guard.ts';
import { isRunning, refOf, waitForExit, type ProcessRef } from './processes.ts';

const script = fileURLToPath(new URL('../test/guarded-run.ts', import.meta.url));

interface GuardedRun {
  readonly child: ChildProcess;
  readonly watched: ProcessRef;
  readonly watchdog: ProcessRef;
}

async function startGuardedRun(folder: string, removeDir: boolean): Promise<GuardedRun> {
  const child = fork(script, [folder, String(removeDir)], { execArgv: [] });
  const [message] = (await once(child, 'message')) as [{ watched: ProcessRef; watchdog: ProcessRef }];
  return { child, ...message };
}

describe('what a killed run leaves behind', () => {
  let folder: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'taskflow-guard-'));
  });

  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it('is stopped by the watchdog, together with the folder of the run', async () => {
    const { child, watched, watchdog } = await startGuardedRun(folder, true);

    child.kill('SIGKILL');

    expect(await waitForExit(watched, 60_000)).toBe(true);
    expect(await waitForExit(watchdog, 60_000)).toBe(true);
    expect(existsSync(folder)).toBe(false);
  });

  it('is stopped by the next start when the watchdog was killed too', async () => {
    const { child, watched, watchdog } = await startGuardedRun(folder, false);
    process.kill(watchdog.pid, 'SIGKILL');
    await waitForExit(watchdog, 60_000);
    const childProcess = refOf(child.pid ?? 0);
    child.kill('SIGKILL');
    await waitForExit(childProcess, 60_000);
    expect(isRunning(watched)).toBe(true);

    const said: string[] = [];
    await clearLeftovers(folder, (line) => said.push(line));

    expect(isRunning(watched)).toBe(false);
    expect(said).toEqual(['stopping 1 processes that an earlier run left behind']);
  });
});
