import { resolve } from 'node:path';
import { AuthServiceService } from '#contract/auth/v1/auth';
import { CallError, openPublicClient, patiently } from '#libs/grpc';

/** How long a service that is away is waited for. */
export const patienceMs = 60_000;

export interface Credentials {
  email: string;
  password: string;
}

/** Whose tasks; undefined when the command line and the environment do not say. */
export function findCredentials(email: string | undefined): Credentials | undefined {
  const found = { email: email ?? process.env['TASKFLOW_EMAIL'] ?? '', password: process.env['TASKFLOW_PASSWORD'] ?? '' };
  return found.email === '' || found.password === '' ? undefined : found;
}

/** npm changes the folder and tells where it was called from. */
export function resolveFile(file: string): string {
  return resolve(process.env['INIT_CWD'] ?? '.', file);
}

export const tasksAddress = (): string => process.env['TASKFLOW_TASKS_ADDRESS'] ?? '127.0.0.1:50053';

/** Somebody who is signed in, and again shortly before the token expires. */
export interface Account {
  /** A token that is valid now. */
  token(): Promise<string>;
  userId(): Promise<string>;
  close(): void;
}

interface SignedIn {
  token: string;
  expires: number;
  userId: string;
}

export function openAccount({ email, password }: Credentials): Account {
  const auth = openPublicClient(AuthServiceService, process.env['TASKFLOW_AUTH_ADDRESS'] ?? '127.0.0.1:50051');
  let current: Promise<SignedIn> | undefined;
  const signIn = async (): Promise<SignedIn> => {
    const { account, tokens } = await patiently(() => auth.login({ email, password }), patienceMs);
    return { token: tokens?.accessToken ?? '', expires: tokens?.accessTokenExpireTime?.getTime() ?? 0, userId: account?.id ?? '' };
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

/** Ends the process with the status that `run` gives, or with 1 and what went wrong. */
export async function runCommand(name: string, run: () => Promise<number>): Promise<void> {
  try {
    process.exitCode = await run();
  } catch (error) {
    const reason = error instanceof CallError ? ` (${error.reason ?? error.kind})` : '';
    process.stderr.write(`${name}: ${(error as Error).message}${reason}\n`);
    process.exitCode = 1;
  }
  process.disconnect?.();
}
