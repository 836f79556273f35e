import type { Account } from './account.entity.ts';

export interface AccountRepository {
  add(account: Account): void;
  /** Whether the e-mail's mailbox has an account. */
  hasEmail(email: string): Promise<boolean>;
  /** Up to `limit` accounts after an id whose mailbox may be spelled unlike their e-mail, in the order of their ids. */
  listForeignEmails(afterId: string, limit: number): Promise<Account[]>;
  /** The account as committed now; until the transaction ends nobody can change it. */
  findUnchanging(id: string): Promise<Account | undefined>;
  /** The account, locked for a change. */
  lock(id: string): Promise<Account | undefined>;
  /**
   * All enabled administrators and the account, locked in the order of their ids: whoever removes an administrator
   * takes turns.
   */
  lockWithAdministrators(id: string): Promise<Account[]>;
}
