import type { Account } from './account.entity.ts';

export interface AccountRepository {
  add(account: Account): void;
  find(id: string): Promise<Account | undefined>;
  findByEmail(email: string): Promise<Account | undefined>;
  /** The account as committed now; until the transaction ends nobody can change it. */
  findUnchanging(id: string): Promise<Account | undefined>;
  isEmailTaken(email: string): Promise<boolean>;
}
