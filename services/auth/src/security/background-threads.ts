import { readdirSync, readFileSync } from 'node:fs';
import { setPriority } from 'node:os';

/** The weight of a thread falls to a third: calls go first, and hashes still come forward on a busy machine. */
const niceness = 5;
const threads = '/proc/self/task';

/**
 * Lets the threads on which hashes are computed run when no other thread of the process wants to. Otherwise two of them
 * would keep both cores of a small machine from the thread that answers calls. For Linux, where threads have priorities
 * of their own; elsewhere it does nothing. To be called when the threads exist: after the first hash.
 */
export function putHashingBehindCalls(): void {
  if (process.platform !== 'linux') return;
  for (const thread of readdirSync(threads)) {
    try {
      if (readFileSync(`${threads}/${thread}/comm`, 'utf8').trim() === 'libuv-worker')
        setPriority(Number(thread), niceness);
    } catch {
      // It has ended since, or the system forbids it: hashing then competes with calls.
    }
  }
}
