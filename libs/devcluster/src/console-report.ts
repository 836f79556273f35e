/** Progress on the terminal: every line with the seconds since the beginning. */
export interface ConsoleReport {
  /** One line. */
  line(text: string): void;
  /** Runs the step and says what it does, that it still runs (every five seconds), and how long it took. */
  step<T>(title: string, work: () => Promise<T>): Promise<T>;
}

export function startConsoleReport(write: (text: string) => void = (text) => void process.stdout.write(text)): ConsoleReport {
  const began = performance.now();
  const line = (text: string): void => write(`[${((performance.now() - began) / 1000).toFixed(1).padStart(6)} s] ${text}\n`);
  return {
    line,
    step: async (title, work) => {
      const stepBegan = performance.now();
      const elapsed = (): string => `${((performance.now() - stepBegan) / 1000).toFixed(1)} s`;
      line(`${title} …`);
      const ticker = setInterval(() => line(`${title}: still at it after ${elapsed()}`), 5_000);
      try {
        const result = await work();
        line(`${title}: done in ${elapsed()}`);
        return result;
      } finally {
        clearInterval(ticker);
      }
    },
  };
}
