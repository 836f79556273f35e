import { resolve } from 'node:path';
import type { Connection, ServiceName, Session, TaskFlow } from '#client/index';
import { createTaskFlow } from '#client/node';
import { clientOptions, UsageError } from '#dev/cluster';
import type { Certificates } from '#libs/runtime';
import { patient } from './patient.ts';

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

type AccountService = 'auth' | 'users';

/** The services that an account is opened by. */
export const servicesFor = (credentials: Credentials): AccountService[] =>
  'personalToken' in credentials ? ['users'] : ['auth'];

/** Relative to the folder that npm was called from, since npm changes the folder. */
export function resolveFile(file: string): string {
  return resolve(process.env['INIT_CWD'] ?? '.', file);
}

/** An account to act as. */
export interface OpenAccount {
  tasks: TaskFlow['tasks'];
  /** To the other services of the account. */
  connection: Connection;
  /** Resolves when the credentials are known to be right; at once for a personal token. */
  signIn(): Promise<void>;
  userId(): Promise<string>;
  close(): void;
}

/** Opens an account by the services of `servicesFor`. The hosts are host:port. */
export function openAccount(
  credentials: Credentials,
  hosts: Partial<Record<ServiceName, string>>,
  certificates: Certificates | undefined,
): OpenAccount {
  const options = clientOptions(hosts, certificates);
  return 'personalToken' in credentials
    ? openByToken(createTaskFlow({ ...options, credentials }))
    : openByPassword(createTaskFlow({ ...options, credentials: { account: credentials } }), credentials);
}

function openByToken(taskflow: TaskFlow): OpenAccount {
  return {
    tasks: taskflow.tasks,
    connection: taskflow.connection,
    signIn: async () => undefined,
    userId: async () => (await patient(taskflow.users.getMe)({})).user?.id ?? '',
    close: () => taskflow.close(),
  };
}

/** Signs in once to learn the account's id; the session goes on by itself. */
function openByPassword(taskflow: TaskFlow<Session>, account: { email: string; password: string }): OpenAccount {
  const login = async (): Promise<string> => {
    const answer = await patient(taskflow.auth.login)(account);
    if (answer.tokens !== undefined) await taskflow.session.keep(answer.tokens);
    return answer.account?.id ?? '';
  };
  let signedIn: Promise<string> | undefined;
  return {
    tasks: taskflow.tasks,
    connection: taskflow.connection,
    signIn: async () => void (await (signedIn ??= login())),
    userId: () => (signedIn ??= login()),
    close: () => taskflow.close(),
  };
}
