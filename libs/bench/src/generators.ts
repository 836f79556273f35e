import { fork, type ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { mergeResults, type Load, type LoadResult } from './load.ts';

/** Processes of their own that make the calls, so that their work is not part of what is measured. */
export interface Generators {
  /** Divides the calls in flight among the processes. Loads run one after the other. */
  run(load: Load): Promise<LoadResult>;
  stop(): Promise<void>;
}

const script = fileURLToPath(new URL('../bin/load-generator.ts', import.meta.url));

export async function startGenerators(count: number): Promise<Generators> {
  const children = await Promise.all(Array.from({ length: count }, startOne));
  return {
    run: async (load) => mergeResults(await Promise.all(divide(load, count).map(async (part, index) => runOn(children[index] as ChildProcess, part)))),
    stop: async () => {
      await Promise.all(children.map(stopOne));
    },
  };
}

async function startOne(): Promise<ChildProcess> {
  const child = fork(script, [], { execArgv: [], serialization: 'advanced' });
  await answerOf(child);
  return child;
}

async function stopOne(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.disconnect();
  await ended;
}

async function answerOf(child: ChildProcess): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const onExit = (code: number | null): void => reject(new Error(`a load generator ended with code ${code}`));
    child.once('exit', onExit);
    child.once('message', (message) => {
      child.off('exit', onExit);
      resolve(message);
    });
  });
}

async function runOn(child: ChildProcess, load: Load): Promise<LoadResult> {
  const answer = answerOf(child);
  child.send(load);
  const { result, error } = (await answer) as { result?: LoadResult; error?: string };
  if (result === undefined) throw new Error(`the load could not be generated: ${error}`);
  return result;
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
