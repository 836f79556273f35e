import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, describe, expect, it } from '@jest/globals';
import { AuditServiceService } from '#contract/audit/v1/audit';
import { Role } from '#contract/auth/v1/auth';
import { programOf } from '#dev/cluster';
import { kindAndReason } from '#dev/testing';
import { openStub } from '#dev/stubs';
import { as, registration } from './factories.ts';
import { startAuthCluster } from './start-cluster.ts';

const { cluster, auth: authAt, signInAsAdmin, sql, stop } = await startAuthCluster({ services: ['auth'] });
afterAll(stop);
const auth = authAt(0);

interface Ended {
  code: number;
  stdout: string;
  stderr: string;
}

/** What `entrypoint.sh admin` runs, with the settings of auth. */
async function admin(...args: string[]): Promise<Ended> {
  const { script, execArgv, env } = await programOf('services/auth/src/admin.ts');
  const key = (name: string): string => join(cluster.dir, 'keys', name);
  const settings = {
    TASKFLOW_ENV: 'test',
    TASKFLOW_AUTH_DATABASE_URL: cluster.databaseUrl('auth'),
    // Nothing answers there: the command needs the database only.
    TASKFLOW_REDIS_URL: 'redis://127.0.0.1:1',
    TASKFLOW_SERVICE_KEY_FILE: key('auth.jwk.json'),
    TASKFLOW_SERVICE_PUBLIC_KEYS_FILE: key('services.jwks.json'),
    TASKFLOW_AUTH_ENCRYPTION_KEY_FILE: key('auth-encryption.key'),
    TASKFLOW_AUTH_ADMIN_EMAIL: cluster.admin.email,
    TASKFLOW_AUTH_ADMIN_PASSWORD: cluster.admin.password,
  };
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      [...execArgv, script, ...args],
      { env: { ...env, ...settings } },
      (error, stdout, stderr) => resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr }),
    );
  });
}

/** The token, made while auth does not run. */
async function makeToken(email: string): Promise<string> {
  await cluster.kill('auth', 'SIGTERM');
  const { code, stdout, stderr } = await admin('reset-password', email);
  expect({ code, stdout }).toEqual({ code: 0, stdout: expect.stringMatching(/^tfw_[\w-]{43}\n$/) });
  expect(stderr).toContain('"audit":"password_reset_created"');
  expect(stderr).not.toContain(stdout.trim());
  expect(stderr).not.toContain(email);
  await cluster.start('auth');
  return stdout.trim();
}

const newPassword = 'another horse battery';

describe('A17: on the server, without any service', () => {
  it('a token lets somebody back in who forgot the password', async () => {
    const request = registration();
    await auth.register(request);
    const token = await makeToken(request.email);
    const { account } = await auth.resetPassword({ token, newPassword });
    expect(account?.role).toBe(Role.USER);
    await auth.login({ ...request, password: newPassword });
  }, 120_000);

  it('the configured administrator gets back in, although disabled and demoted, and not before the token is used', async () => {
    const { account } = await signInAsAdmin();
    await sql(`update accounts set role = 'user', enabled = false where id = $1`, account?.id);
    const token = await makeToken(cluster.admin.email);
    expect(await kindAndReason(signInAsAdmin())).toBe('unauthenticated/CREDENTIALS_INVALID');
    expect(await sql(`select role, enabled from accounts where id = $1`, account?.id)).toEqual([
      { role: 'user', enabled: false },
    ]);
    await auth.resetPassword({ token, newPassword });
    const { tokens } = await auth.login({ email: cluster.admin.email, password: newPassword });
    await auth.listInvitations({}, as({ tokens }));
    const audit = openStub(AuditServiceService, cluster.address('auth'));
    const { events } = await audit.listOwnAuditEvents({}, as({ tokens }));
    audit.close();
    expect(events.map(({ action }) => action).filter((action) => action !== 'signed_in')).toEqual([
      'password_reset',
      'account_enabled',
      'role_changed',
      'password_reset_created',
      'first_administrator_created',
    ]);
  }, 120_000);

  it('the audit logs of the databases that the settings name are verified', async () => {
    const main = join(import.meta.dirname, '../admin/main.ts');
    const env = { PATH: process.env['PATH'], TASKFLOW_AUTH_DATABASE_URL: cluster.databaseUrl('auth') };
    const { stdout } = await promisify(execFile)(process.execPath, [main, 'verify-audit'], { env });
    expect(stdout).toMatch(/^auth: \d+ events, 0 findings, head \d+ [0-9a-f]{64}\n$/);
  }, 120_000);

  it('nobody else that is disabled, and nobody unknown, gets a token', async () => {
    const request = registration();
    const { account } = await auth.register(request);
    await sql(`update accounts set enabled = false where id = $1`, account?.id);
    expect(await admin('reset-password', request.email)).toMatchObject({
      code: 1,
      stdout: '',
      stderr: expect.stringContaining('ACCOUNT_DISABLED'),
    });
    expect(await admin('reset-password', registration().email)).toMatchObject({
      code: 1,
      stdout: '',
      stderr: expect.stringContaining('no account has this e-mail'),
    });
    expect(await admin('reset-password')).toMatchObject({ code: 64, stdout: '' });
  }, 120_000);
});
