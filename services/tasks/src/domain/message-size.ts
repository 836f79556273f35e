import { AppError } from '#libs/errors';
import type { Task } from '#contract/tasks/v1/tasks';
import { taskTable } from './task.columns.ts';

/** Clients accept messages of 4 MiB by default. */
const maxBytes = 3 * 1024 * 1024;
/** Ids, times, etag and the frames of fields. */
const fixedBytes = 512;

/** How many of the first tasks fit into one message; at least one. */
export function countFitting(sizes: readonly number[]): number {
  let total = 0;
  const tooLarge = sizes.findIndex((size) => (total += size) > maxBytes);
  return tooLarge === -1 ? sizes.length : Math.max(1, tooLarge);
}

/** The texts that clients write. */
const textFields = Object.entries(taskTable.columns)
  .filter(([, { storage, marks }]) => storage.sqlType.startsWith('text') && 'create' in marks)
  .map(([field]) => field as keyof Task);

/** An upper bound, in bytes. */
export function sizeOfTask(task: Task): number {
  const texts = textFields.flatMap((field) => task[field] as string | string[]);
  return texts.reduce((bytes, text) => bytes + Buffer.byteLength(text) + 4, fixedBytes);
}

/** Leaves room for errors, names and frames. */
const maxBatchBytes = 3.5 * 1024 * 1024;

/** Throws REQUEST_TOO_LARGE when the answer to a batch would exceed what clients accept. */
export function requireFitting(tasks: readonly Task[]): void {
  const total = tasks.reduce((bytes, task) => bytes + sizeOfTask(task), 0);
  if (total > maxBatchBytes)
    throw new AppError('resource_exhausted', 'REQUEST_TOO_LARGE', 'the answer would be too large; name fewer tasks', {
      details: { metadata: { maxBytes: String(maxBatchBytes) } },
    });
}
