export interface BoundedQueueOptions {
  /** How many tasks run at the same time. */
  concurrency: number;
  /** How many may wait for their turn. */
  maxWaiting: number;
  /** What a task is refused with when the queue is full. */
  refusal: () => Error;
}

export interface BoundedQueue {
  /** Runs the task when its turn comes; rejects at once when the queue is full, and when `signal` fires while it waits. */
  run<T>(task: () => Promise<T>, signal?: AbortSignal): Promise<T>;
}

/** First come, first served; what cannot be served soon is refused instead of piling up. */
export function createBoundedQueue({ concurrency, maxWaiting, refusal }: BoundedQueueOptions): BoundedQueue {
  let running = 0;
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

  return {
    run: async (task, signal) => {
      signal?.throwIfAborted();
      if (running < concurrency) running += 1;
      else if (waiting.size < maxWaiting) await waitForTurn(signal);
      else throw refusal();
      try {
        return await task();
      } finally {
        handOver();
      }
    },
  };
}
