import { uuidv7, type Database } from '#libs/db';
import { OutboxEntry } from '#libs/events';
import type { AccountRemoval } from '../domain/account-deletion.repository.ts';
import { createAccountDeletionRepository } from './account-deletion.repository.ts';

/**
 * Begins all removals of accounts again, so that what a restored database has brought back is removed once more. Where
 * nothing has come back, they find nothing. Returns how many.
 */
export async function repeatRemovals(database: Pick<Database, 'unitOfWork'>): Promise<number> {
  const uow = database.unitOfWork((em) => {
    const goOn = (accountId: string): void => {
      const payload: AccountRemoval = { accountId };
      em.persist(em.create(OutboxEntry, { id: uuidv7(), kind: 'remove-account', payload }));
    };
    return createAccountDeletionRepository(em, { goOn });
  });
  return uow.run((deletions) => deletions.repeatAll());
}
