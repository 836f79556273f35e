import type { CrashPoint } from './points.ts';

export const companions = ['', 'FLUSHALL', 'PostgreSQL crash', 'crash of auth', 'crash of users', 'freeze'] as const;

/** One crash and what else happened to the cluster then. */
export interface Round {
  number: number;
  point: CrashPoint;
  /** freeze: the process stops at the point until others have done its work, and then goes on. */
  with: (typeof companions)[number];
  /** From the crash until everything acknowledged until the next one had been delivered. */
  recoverySeconds: number | undefined;
}
