export interface BoundedQueueOptions {
  /** How many tasks run at the same time. */
  concurrency: number;
  /** How many may wait for their turn. */
  maxWaiting: number;
  /** What a task is refused with that cannot be served in time. */
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
   * Runs the task when its turn comes. Rejects at once when the queue is full, or so slow that the task is not sure to end
   * before its caller gives up; and when the signal fires while it waits.
   */
  run<T>(task: () => Promise<T>, turn?: Turn): Promise<T>;
}

/** Of the time that is left, this part may be spent by estimate: a machine that is busy already may soon be slower. */
const sureShare = 0.5;
/** The weight of the latest task in the average: some ten of them make it forget how it was before. */
const latestShare = 0.2;

/** First come, first served; what cannot be served soon is refused instead of piling up. */
export function createBoundedQueue({ concurrency, maxWaiting, refusal, now = () => performance.now() }: BoundedQueueOptions): BoundedQueue {
  let running = 0;
  /** How long a task takes at present; 0 before the first. */
  let usualMs = 0;
  const waiting = new Set<() => void>();

  function waitForTurn(signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
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
    });
  }

  // A place that becomes free goes straight to whoever waits longest, so that nobody can overtake.
  function handOver(): void {
    const [next] = waiting;
    if (next === undefined) {
      running -= 1;
      return;
    }
    waiting.delete(next);
    next();
  }

  /** For one that would be the last to wait: the wait for its turn and its own time. */
  const expectedMs = (): number => usualMs * ((waiting.size + 1) / concurrency + 1);

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
      else if (waiting.size < maxWaiting && expectedMs() <= withinMs * sureShare) await waitForTurn(signal);
      else throw refusal();
      try {
        return await measured(task);
      } finally {
        handOver();
      }
    },
  };
}
