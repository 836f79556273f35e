// Plain JavaScript without dependencies: programs of every library read their arguments with it, also those that may import no other.
import { existsSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';

export const usageStatus = 64;

export class UsageError extends Error {
  name = 'UsageError';
}

export function isUsageError(error) {
  return error instanceof UsageError || String(error?.code).startsWith('ERR_PARSE_ARGS');
}

export function explainUsage(name, error) {
  // Node says on further lines, or in further sentences, how an argument may begin with a dash.
  const [line] = error.message.split(/\n|\. To specify /);
  return `${line}\n"npm run ${name} -- --help" tells what it takes`;
}

/** Returns what `read` returns. Ends the process when it throws a usage error. */
function readOrExit(name, read) {
  try {
    return read();
  } catch (error) {
    if (!isUsageError(error)) throw error;
    process.stderr.write(`${name}: ${explainUsage(name, error)}\n`);
    return process.exit(usageStatus);
  }
}

export function takeNoArguments(name) {
  readOrExit(name, () => parseArgs({ options: {} }));
}

export function takeFolder(name, parts = []) {
  return readOrExit(name, () => {
    const { positionals } = parseArgs({ allowPositionals: true, options: {} });
    if (positionals.length > 1) throw new UsageError('only one folder at a time');
    const [folder] = positionals;
    if (folder === undefined) return undefined;
    if (!existsSync(folder) || !statSync(folder).isDirectory()) throw new UsageError(`${folder} is not a folder`);
    const missing = parts.filter((part) => !existsSync(resolve(folder, part)));
    if (missing.length > 0) throw new UsageError(`${folder} has no ${missing.join(', ')}`);
    return resolve(folder);
  });
}
