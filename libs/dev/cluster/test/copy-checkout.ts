import { execFileSync } from 'node:child_process';
import { chmodSync, cpSync, mkdtempSync, realpathSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isInstalled, matchesLockfile } from '../boot/install.mjs';
import { checkoutRoot } from '../src/instance.ts';

/** A copy of the checkout as git would give it, without dependencies, in a temporary folder that every user may enter. */
export function copyCheckout(): string {
  const copy = realpathSync(mkdtempSync(join(tmpdir(), 'taskflow-copy-')));
  // PostgreSQL does not run as root; the user that it runs as then has to reach its data.
  chmodSync(copy, 0o755);
  const files = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], {
    cwd: checkoutRoot,
    encoding: 'utf8',
  });
  for (const file of files.split('\0').filter((name) => name !== ''))
    cpSync(join(checkoutRoot, file), join(copy, file), { force: true });
  return copy;
}

/** To be called before a test starts a script of package.json: it would install anew what all other tests are running on. */
export function refuseToInstall(): void {
  if (!isInstalled(checkoutRoot) && !matchesLockfile(checkoutRoot))
    throw new Error('node_modules is not what the lockfile says: run npm ci');
}
