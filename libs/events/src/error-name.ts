import { AppError } from '#libs/errors';

/** What may be stored about a failure: never its message, which could hold what was sent or read. */
export function nameOfError(error: unknown): string {
  if (error instanceof AppError) return `${error.kind}/${error.reason}`;
  return error instanceof Error ? error.name : typeof error;
}
