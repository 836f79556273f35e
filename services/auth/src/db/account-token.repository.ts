import { runStatement, type EntityManager } from '#libs/db';
import { accountTokenTable } from '../domain/account-token.columns.ts';
import { AccountToken } from '../domain/account-token.entity.ts';
import type { AccountTokenRepository } from '../domain/account-token.repository.ts';
import { removeExpired } from './remove-expired.ts';

const { names } = accountTokenTable;

const statements = {
  replace: {
    name: 'account-token-replace',
    text: `
      insert into account_tokens (${names.join(', ')}) values (${names.map((_, index) => `$${index + 1}`).join(', ')})
      on conflict (account_id, kind) do update
      set ${names.map((name) => `${name} = excluded.${name}`).join(', ')}`,
  },
  use: {
    name: 'account-token-use',
    text: 'delete from account_tokens where id = $1 and token_hash = $2 and expire_time > $3 returning 1',
  },
  endAll: { name: 'account-token-end-all', text: 'delete from account_tokens where account_id = $1' },
  end: {
    name: 'account-token-end',
    text: 'delete from account_tokens where account_id = $1 and kind = any ($2::text[])',
  },
};

export function createAccountTokenRepository(em: EntityManager): AccountTokenRepository {
  return {
    add: (token) => void em.persist(AccountToken.of(token)),
    replace: async (token) => void (await runStatement(em, statements.replace, accountTokenTable.cells(token))),
    use: async ({ id, tokenHash }, now) => (await runStatement(em, statements.use, [id, tokenHash, now])).length === 1,
    endAll: async (accountId) => void (await runStatement(em, statements.endAll, [accountId])),
    end: async (accountId, ...kinds) => void (await runStatement(em, statements.end, [accountId, kinds])),
    removeExpired: (before, limit) => removeExpired(em, 'account_tokens', { before, limit }),
  };
}
