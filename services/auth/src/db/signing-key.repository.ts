import { runStatement, type EntityManager } from '#libs/db';
import { SigningKey } from '../domain/signing-key.entity.ts';
import type { SigningKeyRepository } from '../domain/signing-key.repository.ts';

// Writers wait for each other, readers for nobody; the second writer sees what the first one stored.
const lock = 'lock table signing_keys in share row exclusive mode';

const after = (time: Date, ms: number): Date => new Date(time.getTime() + ms);

export function createSigningKeyRepository(em: EntityManager): SigningKeyRepository {
  const databaseNow = async (): Promise<Date> => {
    const clock = `select (extract(epoch from clock_timestamp()) * 1000)::float8 as "nowMs"`;
    const [row] = await runStatement<{ nowMs: number }>(em, clock, []);
    return new Date(row?.nowMs ?? 0);
  };
  return {
    listUsable: async () => {
      const now = await databaseNow();
      const keys = await em.find(
        SigningKey,
        { $or: [{ retireTime: null }, { retireTime: { $gt: now } }] },
        { orderBy: { signTime: 'asc', kid: 'asc' } },
      );
      return { keys, now };
    },
    addFirst: async (key) => {
      await runStatement(em, lock, []);
      if ((await em.count(SigningKey, { retireTime: null })) > 0) return;
      const now = await databaseNow();
      em.persist(SigningKey.create(key, now, now));
    },
    addNext: async (key, { publishMs, retireMs }) => {
      await runStatement(em, lock, []);
      const now = await databaseNow();
      const signTime = after(now, publishMs);
      for (const earlier of await em.find(SigningKey, { retireTime: null }))
        earlier.retireTime = after(signTime, retireMs);
      em.persist(SigningKey.create(key, now, signTime));
      return signTime;
    },
  };
}
