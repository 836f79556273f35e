/** Progress on the terminal: every line with the seconds since the beginning. */
export interface ConsoleReport {
  /** One line. */
  line(text: string): void;
  /** Runs the step and says what it does, that it still runs (every five seconds), and how long it took. */
  step<T>(title: string, work: () => Promise<T>): Promise<T>;
}

const progressMs = 5_000;

/** Does the work, and says every five seconds how far it is; nothing of work that is done sooner. */
export async function withProgress<T>(
  say: (text: string) => void,
  describe: () => string,
  work: () => Promise<T>,
): Promise<T> {
  const ticker = setInterval(() => say(describe()), progressMs);
  try {
    return await work();
  } finally {
    clearInterval(ticker);
  }
}

export function startConsoleReport(): ConsoleReport {
  const began = performance.now();
  const line = (text: string): void =>
    void process.stdout.write(`[${((performance.now() - began) / 1000).toFixed(1).padStart(6)} s] ${text}\n`);
  return {
    line,
    step: async (title, work) => {
      const stepBegan = performance.now();
      const elapsed = (): string => `${((performance.now() - stepBegan) / 1000).toFixed(1)} s`;
      line(`${title} …`);
      const result = await withProgress(line, () => `${title}: still at it after ${elapsed()}`, work);
      line(`${title}: done in ${elapsed()}`);
      return result;
    },
  };
}
