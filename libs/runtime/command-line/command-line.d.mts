/** The exit status for wrong arguments (EX_USAGE of sysexits.h). */
export const usageStatus: 64;

/** A program got wrong arguments. The message names them. */
export class UsageError extends Error {
  override readonly name: 'UsageError';
}

/** Whether the error is about wrong arguments: a UsageError, or one of `parseArgs`. */
export function isUsageError(error: unknown): error is Error;

/** The message for wrong arguments: the fault in one line, and where to look. */
export function explainUsage(name: string, error: Error): string;

/** For `npm run NAME` without arguments: ends the process when there are some. */
export function takeNoArguments(name: string): void;

/**
 * For `npm run NAME [-- FOLDER]`: the absolute path of the folder, undefined without one. Ends the process when that is not
 * a folder, when it lacks one of `parts`, and when there are other arguments.
 */
export function takeFolder(name: string, parts?: readonly string[]): string | undefined;
