import { UsageError } from '../../../runtime/command-line/command-line.mjs';

/** The whole number that was given for an option. Throws UsageError. */
export function readCount(name: string, text: string, { least = 1, most = Number.MAX_SAFE_INTEGER } = {}): number {
  const value = Number(text);
  if (text !== '' && Number.isInteger(value) && value >= least && value <= most) return value;
  const range = most === Number.MAX_SAFE_INTEGER ? `of at least ${least}` : `from ${least} to ${most}`;
  throw new UsageError(`--${name} ${text}: must be a whole number ${range}`);
}

/** The choices of a comma-separated option; all when it was not given. Throws UsageError. */
export function readChoices<T extends string>(name: string, text: string | undefined, all: readonly T[]): readonly T[] {
  if (text === undefined) return all;
  return text.split(',').map((part) => {
    const choice = all.find((known) => known === part);
    if (choice === undefined) throw new UsageError(`--${name} ${part}: must be of ${all.join(', ')}`);
    return choice;
  });
}
