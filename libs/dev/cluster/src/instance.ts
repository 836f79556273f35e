import { createHash, randomBytes } from 'node:crypto';
import {
  chmodSync,
  chownSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  renameSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { canEnter, type OsUser } from './os-user.ts';

/** The folder of the checkout this library stands in. */
export const checkoutRoot = fileURLToPath(new URL('../../../../', import.meta.url)).replace(/\/$/, '');

/** Where everything is kept that running TaskFlow in this checkout leaves on the disk; git ignores it. */
export const stateHome = join(checkoutRoot, '.taskflow');

/** Only its owner, and the group of the PostgreSQL user where that is another one, may enter the folder. */
export function makePrivateFolder(path: string, user?: OsUser): string {
  mkdirSync(path, { recursive: true, mode: 0o700 });
  if (user !== undefined) {
    chownSync(path, -1, user.gid);
    chmodSync(path, 0o710);
  }
  return path;
}

/**
 * A folder outside the checkout for a PostgreSQL user who may not enter the checkout: one per checkout, always the same.
 * /var/tmp is open to everybody, so a folder of that name which somebody else made is refused.
 */
export function shelterOf(checkout: string, user: OsUser): string {
  const digest = createHash('sha256').update(checkout).digest('hex').slice(0, 16);
  const path = join('/var/tmp', `taskflow-${digest}`);
  makePrivateFolder(path);
  const found = lstatSync(path);
  const ownUid = process.getuid?.();
  if (!found.isDirectory() || found.uid !== ownUid || (found.mode & 0o022) !== 0) {
    throw new Error(
      `${path} exists, and it is not a folder that only this user can write to: remove it, then start again`,
    );
  }
  return makePrivateFolder(path, user);
}

/** The folder of one instance (`start`, or one test run), at a place that the PostgreSQL user can enter. */
export function instanceFolder(name: string, user?: OsUser, checkout = checkoutRoot): string {
  refuseForeignFolder(join(checkout, '.taskflow'));
  refuseForeignFolder(join(checkout, '.taskflow', name));
  const home = makePrivateFolder(join(checkout, '.taskflow'), user);
  if (user === undefined || canEnter(user, home)) return makePrivateFolder(join(home, name), user);
  return makePrivateFolder(join(shelterOf(checkout, user), name), user);
}

/** Say what is wrong before some file operation fails with a bare EACCES. */
function refuseForeignFolder(path: string): void {
  if (!existsSync(path) || lstatSync(path).uid === process.getuid?.()) return;
  throw new Error(
    `${path} belongs to another user of this machine (npm start was run as that user before): start as that user again, or remove the folder`,
  );
}

/** Writes so that a reader sees the old text or the new one, and nobody else sees any. */
export function writePrivateFile(path: string, text: string): void {
  const draft = `${path}.new`;
  writeFileSync(draft, text, { mode: 0o600 });
  renameSync(draft, path);
}

/** The text of a secret file, made by `create` the first time. */
export function keepSecret(path: string, create: () => string = randomPassword): string {
  if (!existsSync(path)) writePrivateFile(path, `${create()}\n`);
  return readFileSync(path, 'utf8').trim();
}

/** Safe in a URL and in a configuration file without quoting. */
export function randomPassword(): string {
  return randomBytes(24).toString('hex');
}
