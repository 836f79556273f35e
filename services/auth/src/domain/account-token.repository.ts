import type { AccountTokenValues } from './account-token.columns.ts';

/* The account's lock comes before its tokens'. */
export interface AccountTokenRepository {
  /** Adds a token of an account that is new itself. */
  add(token: AccountTokenValues): void;
  /** Adds a token. The account's token of the same kind ends. */
  replace(token: AccountTokenValues): Promise<void>;
  /** Removes the token for its only use. False when it is not there or has expired. */
  use(token: Pick<AccountTokenValues, 'id' | 'tokenHash'>, now: Date): Promise<boolean>;
  /** Ends all tokens of the account. */
  endAll(accountId: string): Promise<void>;
  /** Ends the account's tokens of these kinds. */
  end(accountId: string, ...kinds: AccountTokenValues['kind'][]): Promise<void>;
  /** Removes up to `limit` tokens that expired before the given time; says how many. */
  removeExpired(before: Date, limit: number): Promise<number>;
}
