import { execFile } from 'node:child_process';
import { chmodSync, chownSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { makePrivateFolder } from './instance.ts';
import type { OsUser } from './os-user.ts';

export interface DataOptions {
  /** The server's folder, and the folder in it that the data are to stand in. */
  readonly folder: string;
  readonly data: string;
  readonly superuser: string;
  readonly password: string;
  /** Path of the program. */
  readonly initdb: string;
  readonly user: OsUser | undefined;
  readonly durable: boolean;
}

/** What a process is started with to run as this user; our own without one. */
export const identityOf = (user: OsUser | undefined): { uid?: number; gid?: number } =>
  user === undefined ? {} : { uid: user.uid, gid: user.gid };

/** Nothing of our own environment: PG* variables would change what the server and initdb do. */
export function serverEnvironment(): NodeJS.ProcessEnv {
  return { PATH: process.env['PATH'], LC_ALL: 'C', TZ: 'UTC' };
}

/** Creates an empty PostgreSQL. A half-made folder of an interrupted run never gets the final name. */
export async function createData(options: DataOptions): Promise<void> {
  const { folder, user } = options;
  const draft = join(folder, 'data.new');
  const passwordFile = join(folder, 'initdb.password');
  for (const path of [draft, passwordFile]) rmSync(path, { recursive: true, force: true });
  makePrivateFolder(draft);
  writeFileSync(passwordFile, options.password, { mode: 0o600 });
  if (user !== undefined) {
    for (const path of [draft, passwordFile]) chownSync(path, user.uid, user.gid);
    chmodSync(draft, 0o700);
  }
  await runInitdb(options, draft, passwordFile);
  rmSync(passwordFile);
  renameSync(draft, options.data);
}

async function runInitdb(options: DataOptions, draft: string, passwordFile: string): Promise<void> {
  const args = [
    `--pgdata=${draft}`,
    `--username=${options.superuser}`,
    `--pwfile=${passwordFile}`,
    '--auth=scram-sha-256',
    '--encoding=UTF8',
  ];
  args.push('--locale=C', '--locale-provider=builtin', '--builtin-locale=C.UTF-8', '--no-instructions');
  if (!options.durable) args.push('--no-sync');
  try {
    await promisify(execFile)(options.initdb, args, {
      cwd: dirname(draft),
      env: serverEnvironment(),
      timeout: 120_000,
      ...identityOf(options.user),
    });
  } catch (error) {
    throw new Error(`initdb failed: ${(error as { stderr?: string }).stderr?.trim() || (error as Error).message}`, {
      cause: error,
    });
  }
}
