import { readFileSync } from 'node:fs';
import { z } from 'zod';

/** The configuration is incomplete or malformed. `faults` has one line for each bad entry. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly faults: readonly string[];

  constructor(faults: readonly string[]) {
    super(`the configuration is not usable:\n${faults.map((fault) => `  ${fault}`).join('\n')}`);
    this.faults = faults;
  }
}

interface EnvReading {
  value: string | undefined;
  fault?: string;
}

/** Reads NAME, or the file that NAME_FILE names (without a trailing line break). An empty value counts as unset. */
function readEntry(env: NodeJS.ProcessEnv, name: string): EnvReading {
  const file = env[`${name}_FILE`];
  if (file === undefined || file === '') return { value: env[name] === '' ? undefined : env[name] };
  if (env[name] !== undefined && env[name] !== '')
    return { value: undefined, fault: `${name}: give it or ${name}_FILE, not both` };
  try {
    return { value: readFileSync(file, 'utf8').replace(/\r?\n$/, '') };
  } catch (error) {
    return {
      value: undefined,
      fault: `${name}_FILE: cannot be read (${(error as NodeJS.ErrnoException).code ?? 'error'})`,
    };
  }
}

function readEntries(env: NodeJS.ProcessEnv, names: readonly string[]): Map<string, EnvReading> {
  return new Map(names.map((name) => [name, readEntry(env, name)]));
}

function toFault(issue: z.core.$ZodIssue, readings: Map<string, EnvReading>): string {
  const name = String(issue.path[0]);
  const reading = readings.get(name);
  return reading?.fault ?? `${name}: ${reading?.value === undefined ? 'is missing' : issue.message}`;
}

/**
 * Reads and checks the entries of a shape: names of environment variables with zod types on strings. Throws ConfigError
 * with every fault at once. Values never appear in it, because they may be secrets.
 */
export function loadConfig<S extends z.ZodRawShape>(
  shape: S,
  env: NodeJS.ProcessEnv = process.env,
): z.infer<z.ZodObject<S>> {
  const readings = readEntries(env, Object.keys(shape));
  const values = Object.fromEntries([...readings].map(([name, reading]) => [name, reading.value]));
  const result = z.object(shape).safeParse(values);
  const unreadable = [...readings.values()].flatMap((reading) => reading.fault ?? []);
  const faults = new Set([...unreadable, ...(result.error?.issues ?? []).map((issue) => toFault(issue, readings))]);
  if (faults.size > 0 || !result.success) throw new ConfigError([...faults]);
  return result.data;
}
