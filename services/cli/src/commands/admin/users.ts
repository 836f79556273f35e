import { Option, type Command } from 'commander';
import { Role, type User } from '#client/users';
import { act, examples } from '../../action.ts';
import { readChoice, readCount, wordsOf } from '../../input/choices.ts';
import { showList } from '../../output/lists.ts';
import { oneLine, toWords } from '../../output/text.ts';
import { showTime } from '../../output/times.ts';
import { registerAccountCreation, registerInvitation } from './new-accounts.ts';
import { registerAccountChanges } from './account-changes.ts';

interface FindOptions {
  role?: Role;
  disabled?: boolean;
  limit: number;
}

export const roles = wordsOf(Role);

function registerSearch(users: Command): void {
  const command = users
    .command('ls', { isDefault: true })
    .alias('find')
    .summary('list people, or find some')
    .description('Lists people, the newest first, or those whose e-mail or name begins with a text.')
    .argument('[text]', 'the beginning of an e-mail or a name')
    .addOption(new Option('--role <role>', roles.join(' or ')).argParser((text) => readChoice<Role>(Role, roles, text)))
    .option('--disabled', 'only those who cannot sign in')
    .option('--limit <count>', 'at most so many', readCount, 50);
  examples(command, 'taskflow admin users find ada', 'taskflow admin users ls --role admin --json');
  act<FindOptions>(command, async (cli, { args: [query = ''], options: { role, disabled, limit } }) => {
    await showList(cli, {
      call: cli.taskflow.users.listUsers,
      request: { query, roles: role === undefined ? [] : [role], ...(disabled === true && { enabled: false }) },
      limit,
      none: 'nobody',
      columns: [
        { head: 'ID', cell: ({ id }: User) => id, style: () => 'dim' },
        { head: 'E-MAIL', cell: ({ email }) => oneLine(email), flexible: true },
        { head: 'NAME', cell: ({ displayName }) => oneLine(displayName), flexible: true },
        { head: 'ROLE', cell: (user) => toWords(Role[user.role]) },
        { head: 'STATE', cell: ({ enabled, purgeTime }) => stateOf(enabled, purgeTime !== undefined) },
        { head: 'SINCE', cell: ({ createTime }) => showTime(createTime, cli.zone) },
      ],
    });
  });
}

function stateOf(enabled: boolean, isDeleted: boolean): string {
  if (isDeleted) return 'deleted';
  return enabled ? 'enabled' : 'disabled';
}

export function registerUsers(admin: Command): void {
  const users = admin.command('users').summary('people and their accounts').description('People and their accounts.');
  registerSearch(users);
  registerAccountCreation(users);
  registerInvitation(users);
  registerAccountChanges(users);
}
