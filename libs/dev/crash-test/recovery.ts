import { setTimeout as pause } from 'node:timers/promises';
import type { FactsReader } from '../effects/read-facts.ts';
import type { Recorder } from './recorder.ts';
import type { Round } from './round.ts';

/** Looks on while rounds go on, since some take longer to heal than the next crash waits. */
export interface Recovery {
  crashed(round: Round): void;
  /** Waits until everything that was acknowledged in the round has been delivered, or the time is over. */
  untilKept(round: Round, giveUpAfterMs: number): Promise<void>;
  /** Waits for all rounds, and writes into each how long it took. */
  finish(history: readonly Round[], giveUpAfterMs: number): Promise<void>;
}

export function watchRecovery(recorder: Recorder, facts: FactsReader): Recovery {
  const crashedAt = new Map<number, number>();
  /** May come before the crash; a later acknowledgement of the round moves it. */
  const keptAt = new Map<number, number>();
  let stopped = false;
  const watching = (async () => {
    while (!stopped) {
      for (const number of await recorder.look(facts)) keptAt.set(number, performance.now());
      await pause(100);
    }
  })();
  const untilAllKept = async (rounds: readonly Round[], giveUpAfterMs: number): Promise<void> => {
    const giveUp = performance.now() + giveUpAfterMs;
    while (rounds.some(({ number }) => !keptAt.has(number)) && performance.now() < giveUp) await pause(100);
  };
  return {
    crashed: (round) => void crashedAt.set(round.number, performance.now()),
    untilKept: (round, giveUpAfterMs) => untilAllKept([round], giveUpAfterMs),
    finish: async (history, giveUpAfterMs) => {
      await untilAllKept(history, giveUpAfterMs);
      stopped = true;
      await watching;
      for (const round of history) {
        const kept = keptAt.get(round.number);
        if (kept !== undefined)
          round.recoverySeconds = Math.max(0, kept - (crashedAt.get(round.number) ?? kept)) / 1_000;
      }
    },
  };
}
