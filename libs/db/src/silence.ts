import { AppError } from '#libs/errors';
import type { Logger } from '#libs/runtime';
import type { ControlConnection } from './control-connection.ts';
import { faultKind } from './sql-state.ts';

/** Notices when the database is reachable but answers nobody, for instance because its machine or disk hangs. */
export interface Silence {
  /** Throws DATABASE_UNAVAILABLE while the database is silent, so that calls do not wait in vain. */
  assertAnswering(): void;
  /** Returns the error for the caller. That no connection became free means "busy" only while the database answers. */
  explain(error: unknown): Promise<unknown>;
  /** Call it when something took too long; it finds out whether the database is silent. */
  suspect(): void;
  /** Call it when the database has answered. */
  answered(): void;
  stop(): void;
}

/**
 * Questions without an answer, a second each, until the database counts as silent. A busy machine may miss one or two.
 */
const enough = 3;
const askAgainMs = 250;

/** toDatabaseError treats it as a connection error. */
class SilentDatabaseError extends Error {
  readonly code = 'ETIMEDOUT';
}

export function createSilence(control: ControlConnection, logger: Logger): Silence {
  let unanswered = 0;
  let asking: Promise<boolean> | undefined;
  let timer: NodeJS.Timeout | undefined;
  let stopped = false;
  const noteAnswer = (): void => {
    if (unanswered >= enough) logger.warn('the database answers again');
    unanswered = 0;
  };
  const ask = async (): Promise<boolean> => {
    const answered = await control.isAnswering();
    if (answered) noteAnswer();
    else unanswered += 1;
    if (unanswered === enough) logger.warn('the database does not answer: calls are refused until it does');
    if (!answered && !stopped) timer = setTimeout(() => void isAnswering(), askAgainMs).unref();
    return answered;
  };
  /** Asks one question at a time, shared by all callers. */
  const isAnswering = (): Promise<boolean> => {
    clearTimeout(timer);
    asking ??= ask().finally(() => (asking = undefined));
    return asking;
  };
  return {
    assertAnswering: () => {
      if (unanswered < enough) return;
      throw new AppError('unavailable', 'DATABASE_UNAVAILABLE', 'the database does not answer', {
        details: { retryAfterMs: 1000 },
      });
    },
    explain: async (error) => {
      if (faultKind(error) !== 'pool_exhausted') return error;
      // There is little time left, so a known silence is not checked again.
      const answered = unanswered === 0 && (await isAnswering());
      return answered ? error : new SilentDatabaseError('the database does not answer', { cause: error });
    },
    suspect: () => void isAnswering(),
    answered: noteAnswer,
    stop: () => {
      stopped = true;
      clearTimeout(timer);
    },
  };
}
