import { fork, type ChildProcess } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import type { Certificates } from '#libs/runtime';
import { stopSteps, type Guard } from './guard.ts';
import { isReady, isServing } from './health-check.ts';
import { endOfLog, lastLines, type LogPlace } from './log-file.ts';
import type { Program } from './program.ts';
import { refOfChild, stopProcess, waitForExit, type ProcessRef } from './processes.ts';

export interface ServiceProcessOptions {
  /** As shown to people: `tasks`, or `tasks-2` for a second replica. */
  readonly label: string;
  readonly program: Program;
  readonly env: NodeJS.ProcessEnv;
  readonly logFile: string;
  readonly guard: Guard;
  /** By which its health is asked for; undefined in plaintext. */
  readonly certificates: Certificates | undefined;
  /** Called every five seconds while the service is not ready yet. */
  readonly report?: ((line: string) => void) | undefined;
}

const startLimitMs = 60_000;
const reportMs = 5_000;

/** One service process: started, seen to be SERVING, stopped, killed and started again. */
export class ServiceProcess {
  readonly options: ServiceProcessOptions;
  /** Called when the process ends after it was SERVING although nobody asked for it. */
  onLoss: (how: string) => void = () => undefined;
  #process: ProcessRef | undefined;
  #isReady: (() => Promise<boolean>) | undefined;
  #mayEnd = true;

  constructor(options: ServiceProcessOptions) {
    this.options = options;
  }

  get pid(): number | undefined {
    return this.#process?.pid;
  }

  /** Resolves when the service has reported that it serves and its health check agrees. Throws with the end of its log. */
  async start(): Promise<void> {
    if (this.#process !== undefined) return;
    this.#mayEnd = true;
    this.#isReady = undefined;
    const begin = endOfLog(this.options.logFile);
    const child = await this.#spawn();
    try {
      await this.#waitUntilServing(child, begin);
      this.#mayEnd = false;
    } catch (error) {
      await this.stop();
      throw error;
    }
  }

  async #spawn(): Promise<ChildProcess> {
    const { program, env, logFile, guard } = this.options;
    const log = openSync(logFile, 'a', 0o600);
    // A process group of its own: Ctrl-C in the terminal reaches only the supervisor, which stops the services in order.
    const child = fork(program.script, [], {
      cwd: '/',
      env: { ...env, ...program.env },
      execArgv: [...program.execArgv],
      detached: true,
      stdio: ['ignore', log, log, 'ipc'],
    });
    closeSync(log);
    const entry = await refOfChild(child);
    this.#process = entry;
    guard.watch({ ...entry, role: 'service' });
    child.on('message', (message) => this.#hear(message));
    child.once('exit', (code, signal) =>
      this.#end(entry, code === null ? `killed by ${String(signal)}` : `exit code ${code}`),
    );
    return child;
  }

  #hear(message: unknown): void {
    const { type, grpcPort, rpcPort, httpPort } = message as Record<string, unknown>;
    if (type !== 'serving') return;
    const { certificates } = this.options;
    if (typeof grpcPort === 'number') this.#isReady = () => isServing(`127.0.0.1:${grpcPort}`, { certificates });
    if (typeof rpcPort === 'number') this.#isReady = () => isReady(`http://127.0.0.1:${String(httpPort)}`);
  }

  #end(entry: ProcessRef, how: string): void {
    if (this.#process !== entry) return;
    this.#process = undefined;
    this.options.guard.forget(entry);
    if (!this.#mayEnd) this.onLoss(how);
  }

  async #waitUntilServing(child: ChildProcess, begin: LogPlace): Promise<void> {
    const until = performance.now() + startLimitMs;
    const { label, logFile, report } = this.options;
    const fail = (what: string): never => {
      throw new Error(`the ${label} service ${what}. Its log, ${logFile}, ends with:\n${lastLines(begin)}`);
    };
    let reportAt = performance.now() + reportMs;
    while ((await this.#isReady?.()) !== true) {
      if (this.#process === undefined)
        fail(`ended while it started (${child.signalCode ?? `exit code ${String(child.exitCode)}`})`);
      if (performance.now() > until) fail(`was not SERVING after ${startLimitMs / 1000} s`);
      if (performance.now() > reportAt) {
        report?.(`${label} is not ready yet. Its log, ${logFile}, ends with: ${lastLines(begin, 1).trim()}`);
        reportAt += reportMs;
      }
      await pause(25);
    }
    // The channel stays open, for the service watches it, but must not keep a test run alive.
    child.unref();
    child.channel?.unref();
  }

  /** Lets it drain. */
  async stop(): Promise<void> {
    this.#mayEnd = true;
    if (this.#process !== undefined) await stopProcess(this.#process, stopSteps.service);
    this.#forget();
  }

  /** Sends the signal and waits for the end; for SIGSTOP and SIGCONT it only sends. */
  async kill(signal: NodeJS.Signals): Promise<void> {
    const entry = this.#process;
    if (entry === undefined) throw new Error(`the ${this.options.label} service is not running`);
    const ends = signal !== 'SIGSTOP' && signal !== 'SIGCONT';
    if (ends) this.#mayEnd = true;
    process.kill(entry.pid, signal);
    if (!ends) return;
    if (!(await waitForExit(entry, 30_000)))
      throw new Error(`the ${this.options.label} service is still running 30 s after ${signal}`);
    this.#forget();
  }

  #forget(): void {
    if (this.#process !== undefined) this.options.guard.forget(this.#process);
    this.#process = undefined;
  }
}
