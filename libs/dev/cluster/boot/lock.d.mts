/** Identifies a process, also when a later one gets the same pid. */
export interface ProcessRef {
  readonly pid: number;
  readonly startTime: string;
}

/** When the process began, in a form that is only compared; undefined when no such process runs (a zombie does not). */
export function startTimeOf(pid: number): string | undefined;

/**
 * Takes the lock file, or tells which live process holds it. The lock of a process that has ended is taken over.
 * Throws only when the folder is not writable.
 */
export function tryLock(
  path: string,
): { release(): void; holder?: undefined } | { release?: undefined; holder: ProcessRef };
