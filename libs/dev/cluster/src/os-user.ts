import { execFileSync, spawnSync } from 'node:child_process';

/** The operating system's user that PostgreSQL runs as; undefined stands for "as ourselves". */
export interface OsUser {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
}

export type FindUser = (name: string) => OsUser | undefined;

/** Looks the user up through the system's own databases (`id`), not in /etc/passwd alone. */
export function findUser(name: string): OsUser | undefined {
  try {
    const ask = (flag: string): number =>
      Number(execFileSync('id', [flag, name], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }));
    return { name, uid: ask('-u'), gid: ask('-g') };
  } catch {
    return undefined;
  }
}

/**
 * PostgreSQL refuses to run as root, and initdb needs an entry in the user database: so as root it runs as `postgres`
 * where that user exists, else as `nobody`. An ordinary user runs it as itself.
 */
export function choosePostgresUser(ownUid = process.getuid?.(), find: FindUser = findUser): OsUser | undefined {
  if (ownUid !== 0) return undefined;
  const user = find('postgres') ?? find('nobody');
  if (user === undefined) {
    throw new Error(
      'PostgreSQL cannot run as root, and there is neither a user "postgres" nor "nobody": run this as an ordinary user',
    );
  }
  return user;
}

/** Whether the user can enter the folder, all its ancestors included. Asked of the system itself, so that ACLs count. */
export function canEnter(user: OsUser | undefined, folder: string): boolean {
  if (user === undefined) return true;
  const { status } = spawnSync('/bin/sh', ['-c', 'cd "$1"', 'sh', folder], {
    cwd: '/',
    uid: user.uid,
    gid: user.gid,
    stdio: 'ignore',
  });
  return status === 0;
}
