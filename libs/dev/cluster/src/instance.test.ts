import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { mkdtempSync, rmSync, statSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { instanceFolder, keepSecret, shelterOf } from './instance.ts';
import { choosePostgresUser, type OsUser } from './os-user.ts';

const user: OsUser | undefined = choosePostgresUser();
/** Only root has PostgreSQL run as somebody else, who may be locked out of the checkout. */
const asRoot = user === undefined ? it.skip : it;

describe('the place of an instance', () => {
  let checkout: string;

  beforeEach(() => {
    checkout = mkdtempSync(join(tmpdir(), 'taskflow checkout-'));
  });

  afterEach(() => rmSync(checkout, { recursive: true, force: true }));

  it('is in the checkout, closed to others', () => {
    const folder = instanceFolder('start', undefined, checkout);

    expect(folder).toBe(join(checkout, '.taskflow', 'start'));
    expect(statSync(folder).mode & 0o777).toBe(0o700);
  });

  asRoot('is the same shelter each time for a user who may not enter the checkout', () => {
    const folder = instanceFolder('start', user, checkout);

    expect(folder).toMatch(/^\/var\/tmp\/taskflow-[0-9a-f]{16}\/start$/);
    expect(instanceFolder('start', user, checkout)).toBe(folder);
    expect(statSync(folder).mode & 0o007).toBe(0);
    rmSync(join(folder, '..'), { recursive: true });
  });

  asRoot('is refused when somebody else has put something there first', () => {
    const shelter = shelterOf(checkout, user as OsUser);
    rmSync(shelter, { recursive: true });
    symlinkSync(tmpdir(), shelter);

    expect(() => shelterOf(checkout, user as OsUser)).toThrow('remove it, then start again');
    rmSync(shelter);
  });

  it('keeps a secret that was made once, readable for its owner only', () => {
    const path = join(checkout, 'password');
    const first = keepSecret(path);

    expect(keepSecret(path)).toBe(first);
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });
});
