import { AppError } from '#libs/errors';
import type { Task } from '#contract/tasks/v1/tasks';

/** Clients accept messages of 4 MiB unless they are told otherwise. */
const maxBytes = 3 * 1024 * 1024;
/** Ids, times, etag and the frames of fields. */
const fixedBytes = 512;

/** How many of the first fit into one message; at least one. */
export function countFitting(sizes: readonly number[]): number {
  let total = 0;
  const tooLarge = sizes.findIndex((size) => (total += size) > maxBytes);
  return tooLarge === -1 ? sizes.length : Math.max(1, tooLarge);
}

/** At most so many bytes. */
export function sizeOfTask({ title, description, labels, externalId }: Task): number {
  return [title, description, externalId, ...labels].reduce((bytes, text) => bytes + Buffer.byteLength(text) + 4, fixedBytes);
}

/** Errors, names and frames of a batch have room beside this. */
const maxBatchBytes = 3.5 * 1024 * 1024;

/** The answer to a batch has all its tasks or there is none: throws when a client could not take it. */
export function requireFitting(tasks: readonly Task[]): void {
  const total = tasks.reduce((bytes, task) => bytes + sizeOfTask(task), 0);
  if (total > maxBatchBytes) throw new AppError('resource_exhausted', 'REQUEST_TOO_LARGE', 'the answer would be too large; name fewer tasks');
}
