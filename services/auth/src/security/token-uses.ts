import { runInBackground, startLoop, type Clock, type Logger, type Loop } from '#libs/runtime';
import type { AuthDeps, TokenUses } from '../deps.ts';

export interface TokenUseRecorder extends TokenUses {
  start(): void;
  /** Records what is waiting, as far as the database lets it. */
  stop(): Promise<void>;
}

const intervalMs = 1000;
const timeoutMs = 5000;
/** More than this often nothing is written about one token. */
const coarseMs = 3_600_000;

/** Records when tokens were used, some time after the use, so that no call waits for it. */
export function createTokenUses({
  uow,
  clock,
  logger,
}: Pick<AuthDeps, 'uow'> & { clock: Clock; logger: Logger }): TokenUseRecorder {
  let waiting = new Set<string>();
  let loop: Loop | undefined;
  const record = async (): Promise<void> => {
    const ids = waiting;
    if (ids.size === 0) return;
    waiting = new Set();
    try {
      await uow.run(({ personalTokens }) => personalTokens.recordUses([...ids], clock.now()));
    } catch (error) {
      waiting = new Set([...waiting, ...ids]);
      throw error;
    }
  };
  const options = { name: 'personal-token-uses', logger };
  const run = (): Promise<void> => runInBackground({ ...options, timeoutMs }, record);
  return {
    note: ({ id, lastUseTime }) => {
      if (lastUseTime === null || clock.now().getTime() - lastUseTime.getTime() >= coarseMs) waiting.add(id);
    },
    start: () => void (loop ??= startLoop({ ...options, intervalMs, run })),
    stop: async () => {
      await loop?.stop();
      await run().catch((error: unknown) => logger.warn({ err: error }, 'uses of personal tokens were not recorded'));
    },
  };
}
