import { uuidv7, walkPages, type Database } from '#libs/db';
import { OutboxEntry } from '#libs/events';
import { Account } from '../domain/account.entity.ts';
import { toProfileUpsert } from '../domain/profile-upsert.ts';

const batchSize = 500;

/**
 * Puts every account into the outbox (again), so that users restores the profiles that it has lost; it ignores what it
 * knows. Returns how many.
 */
export async function handOverProfiles(database: Pick<Database, 'unitOfWork'>): Promise<number> {
  const uow = database.unitOfWork((em) => em);
  return walkPages(batchSize, (afterId, limit) =>
    uow.run(async (em) => {
      const accounts = await em.find(Account, { id: { $gt: afterId } }, { orderBy: { id: 'asc' }, limit });
      const payloads = accounts.map(toProfileUpsert);
      em.persist(payloads.map((payload) => em.create(OutboxEntry, { id: uuidv7(), kind: 'upsert-profile', payload })));
      return accounts;
    }),
  );
}
