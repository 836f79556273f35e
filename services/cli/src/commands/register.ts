import type { Command } from 'commander';
import { AuthService, RegisterResponseSchema } from '#client/auth';
import { create } from '#client/index';
import { act, examples } from '../action.ts';
import { findPassword } from '../input/prompts.ts';
import { oneLine } from '../output/text.ts';
import { signIn } from './login.ts';

interface RegisterOptions {
  name?: string;
  invitation?: string;
  passwordStdin?: boolean;
}

export function registerRegister(program: Command): void {
  const command = program
    .command('register')
    .summary('make an account and sign in')
    .description('Makes an account and signs in.')
    .argument('<e-mail>', 'by which you sign in')
    .option('--name <name>', 'by which others see you; the beginning of the e-mail when not given')
    .option('--invitation <token>', 'where accounts are made by invitation')
    .option('--password-stdin', 'reads the password from standard input; else TASKFLOW_PASSWORD, else it asks');
  examples(command, 'taskflow register EMAIL --name "Ada Lovelace"');
  act<RegisterOptions>(command, async (cli, { args: [email = ''], options }) => {
    const { name: displayName = email.split('@')[0] ?? '', invitation: invitationToken = '' } = options;
    const password = await findPassword({ ...options, isNew: true });
    await signIn(cli, async (session) => {
      const request = { email, password, displayName, invitationToken };
      const { account, tokens } = await cli.connection.service(AuthService).register(request);
      if (tokens !== undefined) await session.keep(tokens);
      const shown = create(RegisterResponseSchema, account && { account });
      cli.out.answer(RegisterResponseSchema, shown, () => `registered and signed in as ${oneLine(email)}`);
    });
  });
}
