import { itemsOf } from '#client/index';
import type { Cli } from '../../cli.ts';
import { callExitCodes } from '../../exit-codes.ts';
import { Failure } from '../../faults.ts';
import { resolveId } from '../../input/short-ids.ts';

/** The id of the account that an e-mail, an id or the beginning or end of an id means. */
export async function findAccount(typed: string, { taskflow: { users } }: Cli): Promise<string> {
  if (typed.includes('@')) {
    for await (const { id, email } of itemsOf(users.listUsers, { query: typed }))
      if (email.toLowerCase() === typed.toLowerCase()) return id;
    throw new Failure(`nobody has the e-mail ${typed}`, callExitCodes.NOT_FOUND);
  }
  return resolveId(typed, {
    noun: 'account',
    read: async function* () {
      for await (const { id, email } of itemsOf(users.listUsers, { pageSize: 100 })) yield { id, title: email };
    },
  });
}
