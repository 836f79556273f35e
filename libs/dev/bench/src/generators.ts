import { fileURLToPath } from 'node:url';
import { mergeResults, type Load, type LoadResult } from './load.ts';
import { startWorker } from './worker-process.ts';

/** Processes of their own that make the calls, so that their work is not part of what is measured. */
export interface Generators {
  /** Divides the calls in flight among the processes. Loads run one after the other. */
  run(load: Load): Promise<LoadResult>;
  stop(): Promise<void>;
}

const script = fileURLToPath(new URL('../bin/load-generator.ts', import.meta.url));

export async function startGenerators(count: number): Promise<Generators> {
  const workers = await Promise.all(Array.from({ length: count }, async () => startWorker(script)));
  return {
    run: async (load) => {
      const parts = divide(load, count);
      return mergeResults(
        await Promise.all(
          workers.slice(0, parts.length).map(async (worker, index) => worker.ask<LoadResult>('run', parts[index])),
        ),
      );
    },
    stop: async () => {
      await Promise.all(workers.map(async (worker) => worker.stop()));
    },
  };
}

/** Every process gets its share of the calls in flight and, for requests that must not be repeated, of the requests. */
export function divide(load: Load, count: number): Load[] {
  const parts = Math.min(count, load.inFlight);
  return Array.from({ length: parts }, (_, index) => ({
    ...load,
    inFlight: Math.floor(load.inFlight / parts) + (index < load.inFlight % parts ? 1 : 0),
    requests: load.once === true ? load.requests.filter((_request, place) => place % parts === index) : load.requests,
    minCalls: Math.ceil((load.minCalls ?? 0) / parts),
    maxCalls: load.maxCalls === undefined ? undefined : Math.ceil(load.maxCalls / parts),
  }));
}
