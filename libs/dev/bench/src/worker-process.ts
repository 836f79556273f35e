import { fork, type ChildProcess } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';

/** A process of one's own that carries out what it is asked, one thing at a time or many. */
export interface WorkerProcess {
  /** Rejects when the worker's function throws, and when the worker ends. Maps, dates and bytes arrive as they are. */
  ask<T>(name: string, input?: unknown): Promise<T>;
  stop(): Promise<void>;
}

interface Question {
  id: number;
  name: string;
  input: unknown;
}

interface Answer {
  id: number;
  output?: unknown;
  error?: string;
}

export interface WorkerOptions {
  /** What it prints is appended here, as a service's log is; left out: it is printed. */
  readonly outputFile?: string;
}

/** Starts a script that calls `runWorker`, and resolves when it is ready to be asked. */
export async function startWorker(script: string, { outputFile }: WorkerOptions = {}): Promise<WorkerProcess> {
  const output = outputFile === undefined ? 'inherit' : openSync(outputFile, 'a', 0o600);
  const child = fork(script, [], { execArgv: [], serialization: 'advanced', stdio: ['ignore', output, output, 'ipc'] });
  if (typeof output === 'number') closeSync(output);
  const waiting = new Map<number, { resolve: (output: unknown) => void; reject: (error: Error) => void }>();
  const ended = new Promise<void>((resolve) => {
    child.once('exit', (code, signal) => {
      for (const { reject } of waiting.values()) reject(new Error(`${script} ended with ${signal ?? code}`));
      waiting.clear();
      resolve();
    });
  });
  const wait = async (id: number): Promise<unknown> =>
    new Promise((resolve, reject) => waiting.set(id, { resolve, reject }));
  child.on('message', ({ id, output, error }: Answer) => {
    const asker = waiting.get(id);
    waiting.delete(id);
    if (error === undefined) asker?.resolve(output);
    else asker?.reject(new Error(error));
  });
  let last = readyId;
  await wait(readyId);
  return {
    ask: async <T>(name: string, input?: unknown): Promise<T> => {
      const answer = wait((last += 1));
      child.send({ id: last, name, input } satisfies Question);
      return (await answer) as T;
    },
    stop: async () => {
      if (isRunning(child)) child.disconnect();
      await ended;
    },
  };
}

const readyId = 0;

const isRunning = (child: ChildProcess): boolean =>
  child.exitCode === null && child.signalCode === null && child.connected;

/** The whole of a worker's script: what it can be asked. The process ends with its parent. */
export function runWorker(functions: Readonly<Record<string, (input: never) => unknown>>): void {
  const tell = (answer: Answer): void => void process.send?.(answer);
  const carryOut = async ({ name, input }: Question): Promise<unknown> => {
    const work = functions[name];
    if (work === undefined) throw new Error(`${name} is not among what can be asked`);
    return work(input as never);
  };
  process.on('disconnect', () => process.exit());
  // Ctrl-C is for the bench, which stops its workers in order.
  process.on('SIGINT', () => undefined);
  process.on('message', (question: Question) => {
    carryOut(question).then(
      (output) => tell({ id: question.id, output }),
      (error: unknown) =>
        tell({ id: question.id, error: error instanceof Error ? (error.stack ?? error.message) : String(error) }),
    );
  });
  tell({ id: readyId });
}
