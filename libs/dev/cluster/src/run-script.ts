import { execFile } from 'node:child_process';
import { appendFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { endOfLog, lastLines } from './log-file.ts';
import type { Program } from './program.ts';

export interface ScriptRun {
  /** What it does, for the error message: "migrating tasks". */
  readonly title: string;
  readonly program: Program;
  readonly env: NodeJS.ProcessEnv;
  readonly logFile: string;
  /** Ends the script. */
  readonly signal?: AbortSignal | undefined;
}

/** Runs a program to its end with our own Node; throws with the end of its output when it fails. */
export async function runScript({ title, program, env, logFile, signal }: ScriptRun): Promise<void> {
  const begin = endOfLog(logFile);
  const keep = (output: { stdout?: string; stderr?: string }): void => {
    appendFileSync(logFile, `${output.stdout ?? ''}${output.stderr ?? ''}`, { mode: 0o600 });
  };
  try {
    keep(
      await promisify(execFile)(process.execPath, [...program.execArgv, program.script], {
        cwd: '/',
        env: { ...env, ...program.env },
        timeout: 120_000,
        signal,
        maxBuffer: 16 * 1024 * 1024,
      }),
    );
  } catch (error) {
    const failure = error as { stdout?: string; stderr?: string; code?: unknown; signal?: unknown };
    keep(failure);
    signal?.throwIfAborted();
    throw new Error(
      `${title} failed (${String(failure.signal ?? failure.code)}). Its log, ${logFile}, ends with:\n${lastLines(begin)}`,
      { cause: error },
    );
  }
}
