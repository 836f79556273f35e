import { AppError } from '#libs/errors';

/** The name of a failure, fit for storing: its message could hold what was sent or read. */
export function nameOfError(error: unknown): string {
  if (error instanceof AppError) return `${error.kind}/${error.reason}`;
  return error instanceof Error ? error.name : typeof error;
}
