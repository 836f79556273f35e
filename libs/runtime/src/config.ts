import { readFileSync } from 'node:fs';
import { z } from 'zod';

/** The configuration is missing or malformed. `faults` has one line for each entry that is. */
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

/** Reads NAME, or the file that NAME_FILE names (a trailing line break is cut off). An empty value counts as absent. */
function readEntry(env: NodeJS.ProcessEnv, name: string): EnvReading {
  const file = env[`${name}_FILE`];
  if (file === undefined || file === '') return { value: env[name] === '' ? undefined : env[name] };
  if (env[name] !== undefined && env[name] !== '') return { value: undefined, fault: `${name}: give it or ${name}_FILE, not both` };
  try {
    return { value: readFileSync(file, 'utf8').replace(/\r?\n$/, '') };
  } catch (error) {
    return { value: undefined, fault: `${name}_FILE: cannot be read (${(error as NodeJS.ErrnoException).code ?? 'error'})` };
  }
}

/**
 * Reads and checks the entries of a shape: keys are names of environment variables, values zod types on strings.
 * Throws ConfigError with every fault at once; values never appear in it, since they may be secrets.
 */
export function loadConfig<S extends z.ZodRawShape>(shape: S, env: NodeJS.ProcessEnv = process.env): z.infer<z.ZodObject<S>> {
  const faults: string[] = [];
  const values: Record<string, string | undefined> = {};
  for (const name of Object.keys(shape)) {
    const reading = readEntry(env, name);
    if (reading.fault !== undefined) faults.push(reading.fault);
    values[name] = reading.value;
  }
  const broken = new Set(faults.map((fault) => fault.split(/_FILE:|:/)[0]));
  const result = z.object(shape).safeParse(values);
  for (const issue of result.error?.issues ?? []) {
    const name = String(issue.path[0]);
    if (!broken.has(name)) faults.push(`${name}: ${values[name] === undefined ? 'is missing' : issue.message}`);
  }
  if (faults.length > 0 || !result.success) throw new ConfigError(faults);
  return result.data;
}
