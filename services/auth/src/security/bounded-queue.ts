export interface BoundedQueueOptions {
  /** How many tasks run at the same time. */
  concurrency: number;
  /** How many may wait for their turn. */
  maxWaiting: number;
  /** The error for a task that cannot be served in time. */
  refusal: () => Error;
  /** Milliseconds, from any start. */
  now?: () => number;
}

export interface Turn {
  /** While the task waits, this takes it out of the queue. */
  signal?: AbortSignal | undefined;
  /** How long its caller will wait, in milliseconds. */
  withinMs?: number;
}

export interface BoundedQueue {
  /**
   * Runs the task when its turn comes. Rejects at once when the queue is full, or so slow that the task is not sure to
   * end before its caller gives up; and when the signal fires while it waits.
   */
  run<T>(task: () => Promise<T>, turn?: Turn): Promise<T>;
}

/** The estimated wait may take this share of the time left: a busy machine may soon be slower than estimated. */
const sureShare = 0.5;
/** The weight of the latest task in the moving average; about ten tasks replace it. */
const latestShare = 0.2;

/** The tasks that wait, first come, first served. */
function createWaitingLine() {
  const waiting = new Set<() => void>();
  return {
    length: () => waiting.size,
    /** Resolves when its turn comes; rejects when the signal fires before. */
    wait: (signal: AbortSignal | undefined): Promise<void> =>
      new Promise((resolve, reject) => {
        const leave = () => {
          waiting.delete(enter);
          reject(signal?.reason as Error);
        };
        const enter = () => {
          signal?.removeEventListener('abort', leave);
          resolve();
        };
        waiting.add(enter);
        signal?.addEventListener('abort', leave, { once: true });
      }),
    /** Lets the first in; false when nobody waits. */
    admitNext: (): boolean => {
      const [next] = waiting;
      if (next === undefined) return false;
      waiting.delete(next);
      next();
      return true;
    },
  };
}

/** Runs tasks first come, first served, and refuses a task that cannot be served soon. */
export function createBoundedQueue({
  concurrency,
  maxWaiting,
  refusal,
  now = () => performance.now(),
}: BoundedQueueOptions): BoundedQueue {
  let running = 0;
  /** How long a task takes at present; 0 before the first. */
  let usualMs = 0;
  const line = createWaitingLine();

  /** For a task that would be the last to wait: the wait for its turn and its own time. */
  const expectedMs = (): number => usualMs * ((line.length() + 1) / concurrency + 1);

  async function measured<T>(task: () => Promise<T>): Promise<T> {
    const begin = now();
    try {
      return await task();
    } finally {
      const tookMs = now() - begin;
      usualMs = usualMs === 0 ? tookMs : usualMs + latestShare * (tookMs - usualMs);
    }
  }

  return {
    run: async (task, { signal, withinMs = Infinity } = {}) => {
      signal?.throwIfAborted();
      if (running < concurrency) running += 1;
      else if (line.length() < maxWaiting && expectedMs() <= withinMs * sureShare) await line.wait(signal);
      else throw refusal();
      try {
        return await measured(task);
      } finally {
        // A free place goes straight to the first in line, so that nobody can overtake.
        if (!line.admitNext()) running -= 1;
      }
    },
  };
}
