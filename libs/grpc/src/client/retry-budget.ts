import { status, type Metadata } from '@grpc/grpc-js';
import { retryLimits } from '#libs/contract';

/** What is known of a call that has ended. */
export interface CallEnd {
  /** Whether the contract allows retries. */
  isSafe: boolean;
  code: number;
  /** Of the answer, if any. A call with headers is never retried. */
  headers: Metadata | undefined;
  /** Of the status. */
  trailers: Metadata | undefined;
}

/** The tokens for retries to one target, see gRPC A6. */
export interface RetryBudget {
  readonly tokens: number;
  note(end: CallEnd): void;
}

/** grpc-js adds it to the metadata of answers to retried calls. */
const attemptsKey = 'grpc-previous-rpc-attempts';

function earlierAttempts({ headers, trailers }: CallEnd): number {
  const [headersText] = headers?.get(attemptsKey) ?? [];
  const [trailersText] = trailers?.get(attemptsKey) ?? [];
  return Number(headersText ?? trailersText ?? 0);
}

function createBudget(): RetryBudget {
  let tokens: number = retryLimits.maxTokens;
  const take = (count: number): void => void (tokens = Math.max(0, tokens - count));
  return {
    get tokens() {
      return tokens;
    },
    note: (end) => {
      take(earlierAttempts(end));
      if (end.code === status.OK) tokens = Math.min(retryLimits.maxTokens, tokens + retryLimits.tokenRatio);
      else if (end.isSafe && end.code === status.UNAVAILABLE && end.headers === undefined) take(1);
    },
  };
}

// Like grpc-js: one per target for the life of the process, independent of channels.
const budgets = new Map<string, RetryBudget>();

/**
 * Counts the same tokens as grpc-js, which does not expose its own count. Attempts of running calls are counted at the
 * end of the call; attempts of a call that was cancelled between two attempts are missed.
 */
export function retryBudgetOf(address: string): RetryBudget {
  const budget = budgets.get(address) ?? createBudget();
  budgets.set(address, budget);
  return budget;
}
