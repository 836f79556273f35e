import { startWorker, type WorkerOptions } from './worker-process.ts';

/** Something that answers calls and whose CPU time can be read. */
export interface MeasuredServer {
  readonly addresses: readonly string[];
  /** Milliseconds of CPU that its processes have used so far. */
  cpuMs(): Promise<number>;
  /** The same of single processes that its calls keep busy, such as a database's, by name: a column for each. */
  partsMs?(): Promise<Readonly<Record<string, number>>>;
  /** Resolves when the work that calls have left behind is done; it is then counted to these calls. */
  drained?(): Promise<void>;
}

export interface ServerProcess extends MeasuredServer {
  stop(): Promise<void>;
}

/** Starts a script that calls `runServerProcess`, and resolves when it listens. */
export async function startServerProcess(
  script: string,
  settings: unknown,
  options: WorkerOptions = {},
): Promise<ServerProcess> {
  const worker = await startWorker(script, options);
  try {
    const port = await worker.ask<number>('start', settings);
    return { addresses: [`127.0.0.1:${port}`], cpuMs: async () => worker.ask<number>('cpuMs'), stop: worker.stop };
  } catch (error) {
    await worker.stop();
    throw error;
  }
}

/** CPU seconds as a service's own metrics tell them: on every platform, and of all its threads. */
export async function readCpuMs(httpAddresses: readonly string[]): Promise<number> {
  const readings = httpAddresses.map(async (address) => {
    // The server may just be closing a connection that was kept since the last reading.
    const text = await (await fetch(`${address}/metrics`, { headers: { connection: 'close' } })).text();
    const seconds = /^process_cpu_seconds_total(?:\{[^}]*\})? ([\d.e+-]+)/m.exec(text)?.[1];
    if (seconds === undefined) throw new Error(`${address}/metrics does not tell the CPU time`);
    return Number(seconds) * 1000;
  });
  return (await Promise.all(readings)).reduce((sum, ms) => sum + ms, 0);
}
