import { runStatement, type EntityManager } from '#libs/db';
import { SigningKey, type NewSigningKey } from '../domain/signing-key.entity.ts';
import type { SigningKeyRepository } from '../domain/signing-key.repository.ts';

// Writers wait for each other, readers for nobody; whoever comes second sees what the first one stored.
const lock = 'lock table signing_keys in share row exclusive mode';

const insertFirst = `
  insert into signing_keys (kid, public_jwk, sealed_private_key, create_time, sign_time)
  select $1, $2::jsonb, $3::bytea, clock_timestamp(), clock_timestamp()
  where not exists (select 1 from signing_keys where retire_time is null)`;

const insertNext = `
  with moment as (select clock_timestamp() as now)
  insert into signing_keys (kid, public_jwk, sealed_private_key, create_time, sign_time)
  select $1, $2::jsonb, $3::bytea, now, now + $4 * interval '1 millisecond' from moment
  returning (extract(epoch from sign_time) * 1000)::float8 as "signMs"`;

const endOthers = `
  update signing_keys set retire_time = next.sign_time + $2 * interval '1 millisecond'
  from signing_keys next where next.kid = $1 and signing_keys.kid <> $1 and signing_keys.retire_time is null`;

const valuesOf = ({ kid, publicJwk, sealedPrivateKey }: NewSigningKey): unknown[] => [kid, JSON.stringify(publicJwk), sealedPrivateKey];

export function createSigningKeyRepository(em: EntityManager): SigningKeyRepository {
  return {
    listUsable: async () => {
      const [row] = await runStatement<{ nowMs: number }>(em, `select (extract(epoch from clock_timestamp()) * 1000)::float8 as "nowMs"`, []);
      const now = new Date(row?.nowMs ?? 0);
      const keys = await em.find(SigningKey, { $or: [{ retireTime: null }, { retireTime: { $gt: now } }] }, { orderBy: { signTime: 'asc', kid: 'asc' } });
      return { keys, now };
    },
    addFirst: async (key) => {
      await runStatement(em, lock, []);
      await runStatement(em, insertFirst, valuesOf(key));
    },
    addNext: async (key, { publishMs, retireMs }) => {
      await runStatement(em, lock, []);
      const [row] = await runStatement<{ signMs: number }>(em, insertNext, [...valuesOf(key), publishMs]);
      await runStatement(em, endOthers, [key.kid, retireMs]);
      return new Date(row?.signMs ?? 0);
    },
  };
}
