import { resolve } from 'node:path';
import { AuthServiceService } from '#contract/auth/v1/auth';
import { UsersServiceService } from '#contract/users/v1/users';
import { UsageError } from '#dev/cluster';
import { openPublicClient, retry, type PublicClient, type PublicClientOptions } from '#libs/grpc';

/** How long programs wait for a service that is down. */
export const giveUpAfterMs = 60_000;

export type Credentials = { email: string; password: string } | { personalToken: string };

/** The account from the command line or the environment. Throws UsageError without one, and with two. */
export function findCredentials(option: string | undefined): Credentials {
  const { TASKFLOW_TOKEN: personalToken = '' } = process.env;
  if (personalToken !== '' && option !== undefined)
    throw new UsageError('say whose tasks with --email or with TASKFLOW_TOKEN, not with both');
  if (personalToken !== '') return { personalToken };
  return findPassword(option);
}

function findPassword(option: string | undefined): Credentials {
  const email = option ?? process.env['TASKFLOW_EMAIL'] ?? '';
  const password = process.env['TASKFLOW_PASSWORD'] ?? '';
  if (email === '') throw new UsageError('say whose tasks with --email, TASKFLOW_EMAIL or TASKFLOW_TOKEN');
  if (password === '') throw new UsageError('set TASKFLOW_PASSWORD to the password of that account');
  return { email, password };
}

/** The services that an account is opened by. */
export const servicesFor = (credentials: Credentials): ('auth' | 'users')[] =>
  'personalToken' in credentials ? ['users'] : ['auth'];

/** Relative to the folder that npm was called from, since npm changes the folder. */
export function resolveFile(file: string): string {
  return resolve(process.env['INIT_CWD'] ?? '.', file);
}

/** An account to act as. */
export interface Account {
  /** A valid token. */
  token(): Promise<string>;
  userId(): Promise<string>;
  close(): void;
}

/** Opens an account by the services of `servicesFor`. */
export function openAccount(
  credentials: Credentials,
  { auth = '', users = '', certificates }: Partial<Record<'auth' | 'users', string>> & PublicClientOptions,
): Account {
  return 'personalToken' in credentials
    ? openByToken(credentials.personalToken, openPublicClient(UsersServiceService, users, { certificates }))
    : signIn(credentials, openPublicClient(AuthServiceService, auth, { certificates }));
}

function openByToken(token: string, users: PublicClient<typeof UsersServiceService>): Account {
  return {
    token: async () => token,
    userId: async () => (await retry(() => users.getMe({}, { token }), giveUpAfterMs)).user?.id ?? '',
    close: () => users.close(),
  };
}

interface SignedIn {
  token: string;
  expires: number;
  userId: string;
}

/** Signs in, and again shortly before the token expires. */
function signIn(
  credentials: { email: string; password: string },
  auth: PublicClient<typeof AuthServiceService>,
): Account {
  let current: Promise<SignedIn> | undefined;
  const login = async (): Promise<SignedIn> => {
    const { account, tokens } = await retry(() => auth.login(credentials), giveUpAfterMs);
    return {
      token: tokens?.accessToken ?? '',
      expires: tokens?.accessTokenExpireTime?.getTime() ?? 0,
      userId: account?.id ?? '',
    };
  };
  return {
    token: async () => {
      current ??= login();
      const held = await current;
      if (held.expires - Date.now() > 60_000) return held.token;
      current = login();
      return (await current).token;
    },
    userId: async () => (await (current ??= login())).userId,
    close: () => auth.close(),
  };
}
