import { status, type Metadata } from '@grpc/grpc-js';
import { retryLimits } from '#libs/contract';

/** What is seen of a call when it is over. */
export interface CallEnd {
  /** The contract lets it be sent again. */
  isSafe: boolean;
  code: number;
  /** Headers of the answer, when any came: from then on nothing is sent again. */
  headers: Metadata | undefined;
  /** Of the status. */
  trailers: Metadata | undefined;
}

/** How many tokens are left for retries to one target: see gRPC A6. */
export interface RetryBudget {
  readonly tokens: number;
  note(end: CallEnd): void;
}

/** grpc-js writes it itself, into the metadata of the answer to a call that it has sent again. */
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

// As grpc-js has it: one for a target and the whole process, whatever channels come and go.
const budgets = new Map<string, RetryBudget>();

/**
 * The same count as grpc-js keeps, which shows it to nobody, of the same calls. It lags behind by the attempts of calls that
 * are under way, and does not see those of a call that was given up between two attempts.
 */
export function retryBudgetOf(address: string): RetryBudget {
  const budget = budgets.get(address) ?? createBudget();
  budgets.set(address, budget);
  return budget;
}
