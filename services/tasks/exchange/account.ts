import { resolve } from 'node:path';
import { AuthServiceService } from '#contract/auth/v1/auth';
import { UsageError } from '#dev/cluster';
import { openPublicClient, retry } from '#libs/grpc';

/** How long programs wait for a service that is down. */
export const giveUpAfterMs = 60_000;

export interface Credentials {
  email: string;
  password: string;
}

/** The account from the command line or the environment. Throws UsageError without one. */
export function findCredentials(option: string | undefined): Credentials {
  const email = option ?? process.env['TASKFLOW_EMAIL'] ?? '';
  const password = process.env['TASKFLOW_PASSWORD'] ?? '';
  if (email === '') throw new UsageError('say whose tasks with --email or TASKFLOW_EMAIL');
  if (password === '') throw new UsageError('set TASKFLOW_PASSWORD to the password of that account');
  return { email, password };
}

/** Relative to the folder that npm was called from, since npm changes the folder. */
export function resolveFile(file: string): string {
  return resolve(process.env['INIT_CWD'] ?? '.', file);
}

/** A signed-in account, which signs in again shortly before its token expires. */
export interface Account {
  /** A valid token. */
  token(): Promise<string>;
  userId(): Promise<string>;
  close(): void;
}

interface SignedIn {
  token: string;
  expires: number;
  userId: string;
}

export function openAccount({ email, password }: Credentials, authAddress: string): Account {
  const auth = openPublicClient(AuthServiceService, authAddress);
  let current: Promise<SignedIn> | undefined;
  const signIn = async (): Promise<SignedIn> => {
    const { account, tokens } = await retry(() => auth.login({ email, password }), giveUpAfterMs);
    return {
      token: tokens?.accessToken ?? '',
      expires: tokens?.accessTokenExpireTime?.getTime() ?? 0,
      userId: account?.id ?? '',
    };
  };
  return {
    token: async () => {
      current ??= signIn();
      const held = await current;
      if (held.expires - Date.now() > 60_000) return held.token;
      current = signIn();
      return (await current).token;
    },
    userId: async () => (await (current ??= signIn())).userId,
    close: () => auth.close(),
  };
}
