import { createHash } from 'node:crypto';
import type { ImportedTask } from './file-task.ts';

/** What the own tasks of an account are, in short: the same in an account that they were imported into. */
export interface TaskChecksum {
  add(task: Omit<ImportedTask, 'place' | 'taskId'>): void;
  /** "2 tasks, checksum …" */
  toString(): string;
}

const modulus = 1n << 256n;

/**
 * The sum of the SHA-256 of all tasks. It does not depend on their order, and two equal ones do not cancel out. Of a
 * task counts what an import takes, in one order of fields; ids and times that the service gives do not.
 */
export function createTaskChecksum(): TaskChecksum {
  let sum = 0n;
  let count = 0;
  return {
    add: ({ title, description, status, priority, due, labels, externalId, isOwnAssignment = false }) => {
      const when = due === undefined ? null : 'time' in due ? due.time.toISOString() : [due.date, due.zone];
      const line = [title, description, status, priority, when, labels.toSorted(), externalId, isOwnAssignment];
      const digest = createHash('sha256').update(JSON.stringify(line)).digest('hex');
      sum = (sum + BigInt(`0x${digest}`)) % modulus;
      count += 1;
    },
    toString: () => `${count} tasks, checksum ${sum.toString(16).padStart(64, '0')}`,
  };
}
