import { randomUUID } from 'node:crypto';
import type { Command } from 'commander';
import {
  CreatePasswordResetResponseSchema,
  DeleteAccountResponseSchema,
  DisableAccountResponseSchema,
  EnableAccountResponseSchema,
  Role,
  SetRoleResponseSchema,
  UndeleteAccountResponseSchema,
  type Account,
} from '#client/auth';
import { act, examples } from '../../action.ts';
import { readChoice, wordsOf } from '../../input/choices.ts';
import { confirm } from '../../input/prompts.ts';
import { oneLine, toWords } from '../../output/text.ts';
import { showTime } from '../../output/times.ts';
import { findAccount } from './find-account.ts';

const roles = wordsOf(Role);
const who = 'an e-mail, an id or a part of one';
const nameOf = (account: Account | undefined): string => oneLine(account?.email ?? '');

function registerRole(users: Command): void {
  const command = users
    .command('role')
    .summary('give a role')
    .description('Gives somebody another role.')
    .argument('<who>', who)
    .argument('<role>', roles.join(' or '), (text) => readChoice<Role>(Role, roles, text));
  examples(command, 'taskflow admin users role EMAIL user');
  act(command, async (cli, { args }) => {
    const [typed = '', role] = args as unknown as [string, Role];
    const accountId = await findAccount(typed, cli);
    const answer = await cli.taskflow.auth.setRole({ accountId, role, requestId: randomUUID() });
    cli.out.answer(SetRoleResponseSchema, answer, () => `${nameOf(answer.account)} is ${toWords(Role[role])}`);
  });
}

function registerDisabling(users: Command): void {
  const disable = users
    .command('disable')
    .summary('shut somebody out')
    .description('Shuts somebody out: every session and token of the account ends.')
    .argument('<who>', who);
  examples(disable, 'taskflow admin users disable EMAIL');
  act(disable, async (cli, { args: [typed = ''] }) => {
    const accountId = await findAccount(typed, cli);
    const answer = await cli.taskflow.auth.disableAccount({ accountId, requestId: randomUUID() });
    cli.out.answer(DisableAccountResponseSchema, answer, () => `${nameOf(answer.account)} is disabled`);
  });
  const enable = users
    .command('enable')
    .summary('let somebody in again')
    .description('Lets somebody in again.')
    .argument('<who>', who);
  examples(enable, 'taskflow admin users enable EMAIL');
  act(enable, async (cli, { args: [typed = ''] }) => {
    const accountId = await findAccount(typed, cli);
    const answer = await cli.taskflow.auth.enableAccount({ accountId, requestId: randomUUID() });
    cli.out.answer(EnableAccountResponseSchema, answer, () => `${nameOf(answer.account)} is enabled`);
  });
}

interface DeleteOptions {
  successor?: string;
  yes?: boolean;
}

function registerDeletion(users: Command): void {
  const command = users
    .command('delete')
    .summary('delete an account')
    .description('Deletes an account. It can be brought back for as long as the server keeps it.')
    .argument('<who>', who)
    .option('--successor <who>', 'who gets the tasks; without one they go with the account')
    .option('--yes', 'does not ask whether you are sure');
  examples(command, 'taskflow admin users delete EMAIL --yes');
  act<DeleteOptions>(command, async (cli, { args: [typed = ''], options: { successor, yes = false } }) => {
    const accountId = await findAccount(typed, cli);
    const successorId = successor === undefined ? '' : await findAccount(successor, cli);
    await confirm(`Delete the account ${typed}?`, yes);
    const answer = await cli.taskflow.auth.deleteAccount({ accountId, successorId, requestId: randomUUID() });
    cli.out.answer(
      DeleteAccountResponseSchema,
      answer,
      () => `${nameOf(answer.account)} is deleted, and removed on ${showTime(answer.account?.purgeTime, cli.zone)}`,
    );
  });
  const restore = users
    .command('restore')
    .summary('bring a deleted account back')
    .description('Brings a deleted account back.')
    .argument('<who>', who);
  examples(restore, 'taskflow admin users restore ID');
  act(restore, async (cli, { args: [typed = ''] }) => {
    const accountId = await findAccount(typed, cli);
    const answer = await cli.taskflow.auth.undeleteAccount({ accountId, requestId: randomUUID() });
    cli.out.answer(UndeleteAccountResponseSchema, answer, () => `${nameOf(answer.account)} is back`);
  });
}

function registerReset(users: Command): void {
  const command = users
    .command('reset-password')
    .summary('let somebody choose a new password')
    .description('Makes a token by which somebody chooses a new password. It is shown this once.')
    .argument('<who>', who);
  examples(command, 'taskflow admin users reset-password EMAIL');
  act(command, async (cli, { args: [typed = ''] }) => {
    const accountId = await findAccount(typed, cli);
    const answer = await cli.taskflow.auth.createPasswordReset({ accountId, requestId: randomUUID() });
    cli.out.answer(CreatePasswordResetResponseSchema, answer, () => answer.token);
    cli.out.note(`good until ${showTime(answer.reset?.expireTime, cli.zone)}`);
  });
}

export function registerAccountChanges(users: Command): void {
  registerRole(users);
  registerDisabling(users);
  registerDeletion(users);
  registerReset(users);
}
