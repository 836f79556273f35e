import { fork, type ChildProcess } from 'node:child_process';
import type { FromParent, ToParent } from './bare-server.ts';

/** Something that answers calls and whose CPU time can be read. */
export interface MeasuredServer {
  readonly addresses: readonly string[];
  /** Milliseconds of CPU that its processes have used so far. */
  cpuMs(): Promise<number>;
}

export interface ServerProcess extends MeasuredServer {
  stop(): Promise<void>;
}

/** Starts a script that calls `runServerProcess`, and resolves when it listens. The settings are sent as they are. */
export async function startServerProcess(script: string, settings: unknown): Promise<ServerProcess> {
  const child = fork(script, [], { execArgv: [], serialization: 'advanced' });
  await hear(child);
  const { port } = (await ask(child, { type: 'start', settings })) as { port: number };
  return {
    addresses: [`127.0.0.1:${port}`],
    cpuMs: async () => ((await ask(child, { type: 'cpu' })) as { ms: number }).ms,
    stop: async () => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const ended = new Promise((resolve) => child.once('exit', resolve));
      child.disconnect();
      await ended;
    },
  };
}

async function ask(child: ChildProcess, question: FromParent): Promise<ToParent> {
  const answer = hear(child);
  child.send(question);
  return answer;
}

async function hear(child: ChildProcess): Promise<ToParent> {
  return new Promise((resolve, reject) => {
    const onExit = (code: number | null): void => reject(new Error(`${child.spawnargs.join(' ')} ended with code ${code}`));
    child.once('exit', onExit);
    child.once('message', (message: ToParent) => {
      child.off('exit', onExit);
      if (message.type === 'failed') reject(new Error(message.message));
      else resolve(message);
    });
  });
}

/** CPU seconds as a service's own metrics tell them: on every platform, and of all its threads. */
export async function readCpuMs(httpAddresses: readonly string[]): Promise<number> {
  const readings = httpAddresses.map(async (address) => {
    const text = await (await fetch(`${address}/metrics`)).text();
    const seconds = /^process_cpu_seconds_total(?:\{[^}]*\})? ([\d.e+-]+)/m.exec(text)?.[1];
    if (seconds === undefined) throw new Error(`${address}/metrics does not tell the CPU time`);
    return Number(seconds) * 1000;
  });
  return (await Promise.all(readings)).reduce((sum, ms) => sum + ms, 0);
}
