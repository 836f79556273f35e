import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { UsageError, type Cluster, type ClusterOptions, type Infrastructure } from '#dev/cluster';
import type { Generators } from './generators.ts';
import type { BenchOptions } from './options.ts';
import type { Results } from './results.ts';

/** What a suite works with. Whatever it starts itself, it stops. */
export interface BenchContext {
  readonly options: BenchOptions;
  readonly results: Results;
  readonly generators: Generators;
  readonly infrastructure: Infrastructure;
  /** A cluster as in production: its environment, logs in files, limits off. Stopped with the bench. */
  startCluster(options: Partial<ClusterOptions>): Promise<Cluster>;
  /** Whether a scenario of this name is asked for. */
  wants(scenario: string): boolean;
  /** Progress. */
  report(line: string): void;
  readonly signal: AbortSignal;
}

/** A file `services/<any>/bench/<name>.suite.ts` exports one as `suite`. */
export interface Suite {
  run(context: BenchContext): Promise<void>;
}

const services = fileURLToPath(new URL('../../../../services/', import.meta.url));
const ending = '.suite.ts';

function suiteFiles(): Map<string, string> {
  const files = readdirSync(services, { recursive: true, encoding: 'utf8' }).filter(
    (path) => path.endsWith(ending) && /[\\/]bench[\\/]/.test(path),
  );
  return new Map(files.map((path) => [path.slice(path.search(/[^\\/]*$/), -ending.length), join(services, path)]));
}

/** Throws UsageError when there is none of this name. */
export async function loadSuite(name: string): Promise<Suite> {
  const files = suiteFiles();
  const file = files.get(name);
  if (file === undefined) throw new UsageError(`there is no suite ${name}; there are ${[...files.keys()].join(', ')}`);
  return ((await import(pathToFileURL(file).href)) as { suite: Suite }).suite;
}
