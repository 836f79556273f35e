// Plain JavaScript without dependencies: boot.mjs answers --help with it before anything is installed.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

export function usageOf(program) {
  const path = program.startsWith('file:') ? fileURLToPath(program) : program;
  return readFileSync(path.replace(/\.\w+$/, '.usage.txt'), 'utf8').trimEnd();
}

export function asksForHelp(args) {
  const end = args.indexOf('--');
  return args.slice(0, end < 0 ? args.length : end).some((arg) => arg === '--help' || arg === '-h');
}
