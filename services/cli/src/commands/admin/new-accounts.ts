import { randomUUID } from 'node:crypto';
import { Option, type Command } from 'commander';
import { CreateAccountResponseSchema, InviteUserResponseSchema, Role } from '#client/auth';
import { act, examples } from '../../action.ts';
import { readChoice, wordsOf } from '../../input/choices.ts';
import { findPassword } from '../../input/prompts.ts';
import { oneLine } from '../../output/text.ts';
import { showTime } from '../../output/times.ts';

interface CreateOptions {
  name?: string;
  role: Role;
  passwordStdin?: boolean;
}

const roles = wordsOf(Role);

export function registerAccountCreation(users: Command): void {
  const command = users
    .command('create')
    .summary('make an account')
    .description('Makes an account with a password that you give.')
    .argument('<e-mail>', 'of the person')
    .option('--name <name>', 'by which others see them; the beginning of the e-mail when not given')
    .addOption(
      new Option('--role <role>', roles.join(' or '))
        .argParser((text) => readChoice<Role>(Role, roles, text))
        .default(Role.USER, 'user'),
    )
    .option('--password-stdin', 'reads the password from standard input; else TASKFLOW_PASSWORD, else it asks');
  examples(command, 'taskflow admin users create EMAIL --name "Grace Hopper" --role user');
  act<CreateOptions>(command, async (cli, { args: [email = ''], options }) => {
    const password = await findPassword({ ...options, isNew: true });
    const answer = await cli.taskflow.auth.createAccount({
      email,
      password,
      displayName: options.name ?? email.split('@')[0] ?? '',
      role: options.role,
      requestId: randomUUID(),
    });
    cli.out.answer(CreateAccountResponseSchema, answer, () => `made ${answer.account?.id} for ${oneLine(email)}`);
  });
}

export function registerInvitation(users: Command): void {
  const command = users
    .command('invite')
    .summary('invite somebody')
    .description('Invites somebody to make an account. The token is shown this once, alone on standard output.')
    .argument('<e-mail>', 'of the person');
  examples(command, 'taskflow admin users invite EMAIL');
  act(command, async (cli, { args: [email = ''] }) => {
    const answer = await cli.taskflow.auth.inviteUser({ email, requestId: randomUUID() });
    cli.out.answer(InviteUserResponseSchema, answer, () => answer.token);
    cli.out.note(`good until ${showTime(answer.invitation?.expireTime, cli.zone)}: taskflow register --invitation …`);
  });
}
