import type { Command } from 'commander';
import { AuthService, LoginResponseSchema } from '#client/auth';
import { openTaskFlow } from '#client/taskflow';
import { GetMeResponseSchema } from '#client/users';
import { act, examples } from '../action.ts';
import { openWithToken, type Cli } from '../cli.ts';
import { writeProfile } from '../connection/profiles.ts';
import { chooseSecrets } from '../connection/secrets.ts';
import { oneLine } from '../output/text.ts';
import { askText, findPassword } from '../input/prompts.ts';
import { create, type Session } from '#client/index';

interface LoginOptions {
  token?: string;
  passwordStdin?: boolean;
}

/** Signs in where a new login keeps its session. What an earlier one has kept goes only when this one succeeds. */
export async function signIn(cli: Cli, login: (session: Session) => Promise<void>): Promise<void> {
  const secrets = chooseSecrets(cli.profileName);
  const { session } = openTaskFlow(cli.connection, { store: secrets.session });
  await login(session);
  if (cli.secrets.place === secrets.place) secrets.forgetPersonalToken();
  else await cli.secrets.clear();
  writeProfile(cli.profileName, { ...cli.profile, store: secrets.place });
}

async function loginByToken(cli: Cli, token: string): Promise<void> {
  const { users } = openWithToken(cli.connection, token);
  // A token that may not read profiles is a good one too, and any other one is told here.
  const { user } = await users.getMe({}).catch((error: { reason?: string }) => {
    if (error.reason !== 'MISSING_SCOPE') throw error;
    return create(GetMeResponseSchema);
  });
  const secrets = chooseSecrets(cli.profileName);
  await cli.secrets.clear();
  secrets.keepPersonalToken(token);
  writeProfile(cli.profileName, { ...cli.profile, store: secrets.place });
  const whose = user === undefined ? '' : ` of ${oneLine(user.email || user.displayName)}`;
  cli.out.answer(GetMeResponseSchema, create(GetMeResponseSchema, user && { user }), () => `the token${whose} is kept`);
}

export function registerLogin(program: Command): void {
  const command = program
    .command('login')
    .summary('sign in and keep the session')
    .description('Signs in and keeps the session, in the keyring of the system or else in a file of yours (0600).')
    .argument('[e-mail]', 'whose account it is')
    .option('--password-stdin', 'reads the password from standard input; else TASKFLOW_PASSWORD, else it asks')
    .option('--token <token>', 'keeps a personal token, for programs; "-" reads it from standard input');
  examples(
    command,
    'taskflow login ada@example.com',
    'printf %s "$TASKFLOW_PASSWORD" | taskflow login ada@example.com --password-stdin',
  );
  act<LoginOptions>(command, async (cli, { args: [given], options }) => {
    if (options.token !== undefined) {
      const token = options.token === '-' ? await findPassword({ passwordStdin: true }) : options.token;
      return loginByToken(cli, token);
    }
    const email = given ?? (await askText('E-mail', 'whose account it is: taskflow login E-MAIL'));
    const password = await findPassword(options);
    await signIn(cli, async (session) => {
      const answer = await cli.connection.service(AuthService).login({ email, password });
      if (answer.tokens !== undefined) await session.keep(answer.tokens);
      // Tokens are kept and not shown.
      const shown = create(LoginResponseSchema, answer.account && { account: answer.account });
      cli.out.answer(LoginResponseSchema, shown, () => `signed in as ${oneLine(email)}`);
    });
  });
}
