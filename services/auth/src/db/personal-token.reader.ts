import type { RowOf, SqlReader } from '#libs/db';
import type { PersonalTokenReader, TokenGrant } from '../deps.ts';
import { personalTokenTable, type PersonalTokenColumns } from '../domain/personal-token.columns.ts';

const statements = {
  list: {
    name: 'personal-token-list',
    text: `
      select ${personalTokenTable.select()} from personal_tokens
      where account_id = $1 and ($2::timestamptz is null or (create_time, id) < ($2, $3))
      order by create_time desc, id desc limit $4`,
  },
  findGrant: {
    name: 'personal-token-find-grant',
    text: `
      select t.id, t.account_id as "accountId", t.scopes, t.expire_time as "expireTime",
        t.last_use_time as "lastUseTime", a.role, a.tokens_not_before as "tokensNotBefore"
      from personal_tokens t join accounts a on a.id = t.account_id
      where t.token_hash = $1 and t.expire_time > $2 and a.enabled`,
  },
};

export function createPersonalTokenReader(reader: SqlReader): PersonalTokenReader {
  return {
    listPersonalTokens: async (accountId, after, limit) => {
      const parameters = [accountId, after?.createTime ?? null, after?.id ?? null, limit];
      const rows = await reader.query<RowOf<PersonalTokenColumns>>(statements.list, parameters);
      return rows.map(personalTokenTable.toValues);
    },
    findTokenGrant: async (tokenHash, now) =>
      (await reader.query<TokenGrant>(statements.findGrant, [tokenHash, now]))[0],
  };
}
