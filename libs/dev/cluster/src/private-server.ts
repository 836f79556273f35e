import { spawn, type SpawnOptions } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { Guard } from './guard.ts';
import { keepSecret } from './instance.ts';
import { endOfLog, lastLines, type LogPlace } from './log-file.ts';
import { findFreePort } from './ports.ts';
import { refOfChild, stopProcess, type ProcessRef, type StopStep } from './processes.ts';

export interface ServerOptions {
  /** Private folder of this server: data, password, configuration and log are kept in it. */
  readonly dir: string;
  readonly guard: Guard;
  readonly report?: (line: string) => void;
}

/** fast: sessions are ended and everything is written; immediate: as in a crash. */
export type ShutdownMode = 'fast' | 'immediate';

/** Recovery after a crash reads the write-ahead log first; a server that is alive is given this long. */
const startLimitMs = 120_000;

/** A server on 127.0.0.1 that the guard watches. It keeps its port when it is stopped and started again. */
export abstract class PrivateServer {
  port = 0;
  readonly logFile: string;
  protected readonly password: string;
  readonly #name: string;
  readonly #role: 'postgres' | 'redis';
  readonly #guard: Guard;
  #process: ProcessRef | undefined;

  constructor(name: 'PostgreSQL' | 'Redis', { dir, guard }: ServerOptions) {
    this.#name = name;
    this.#role = name === 'Redis' ? 'redis' : 'postgres';
    this.#guard = guard;
    this.logFile = join(dir, `${this.#role}.log`);
    this.password = keepSecret(join(dir, 'password'));
  }

  protected abstract command(): { program: string; args: string[]; options: SpawnOptions };

  /** Whether a real connection gets an answer. */
  protected abstract answers(): Promise<boolean>;

  abstract stop(mode?: ShutdownMode): Promise<void>;

  get pid(): number {
    if (this.#process === undefined) throw new Error(`${this.#name} is stopped`);
    return this.#process.pid;
  }

  async startOnFreePort(): Promise<void> {
    for (let attempt = 1; ; attempt += 1) {
      this.port = await findFreePort();
      try {
        return await this.start();
      } catch (error) {
        // Somebody else took the port between the choice and the start.
        if (attempt >= 3 || !/\bbind\b/.test((error as Error).message)) throw error;
      }
    }
  }

  async start(): Promise<void> {
    if (this.#process !== undefined) return;
    const { program, args, options } = this.command();
    const begin = endOfLog(this.logFile);
    const log = openSync(this.logFile, 'a', 0o600);
    // A group of its own: Ctrl-C in the terminal must not stop it before the services have drained.
    const child = spawn(program, args, { ...options, detached: true, stdio: ['ignore', log, log] });
    closeSync(log);
    const entry = await refOfChild(child);
    child.unref();
    this.#process = entry;
    this.#guard.watch({ ...entry, role: this.#role });
    child.once('exit', () => this.#forget(entry));
    await this.#waitUntilReady(begin);
  }

  #forget(entry: ProcessRef): void {
    if (this.#process !== entry) return;
    this.#process = undefined;
    this.#guard.forget(entry);
  }

  async #waitUntilReady(begin: LogPlace): Promise<void> {
    const until = performance.now() + startLimitMs;
    const fail = (what: string): never => {
      throw new Error(`${this.#name} ${what}. Its log, ${this.logFile}, ends with:\n${lastLines(begin)}`);
    };
    while (!(await this.answers())) {
      if (this.#process === undefined) fail('did not start');
      if (performance.now() > until) {
        await this.stop('immediate');
        fail(`was not ready after ${startLimitMs / 1000} s`);
      }
      await pause(25);
    }
  }

  protected async end(steps: readonly StopStep[]): Promise<void> {
    const entry = this.#process;
    if (entry === undefined) return;
    await stopProcess(entry, steps);
    this.#forget(entry);
  }
}
