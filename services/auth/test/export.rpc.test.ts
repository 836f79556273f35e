import { afterAll, describe, expect, it } from '@jest/globals';
import { Scope } from '#contract/policy/v1/policy';
import { exportFrom, listTables, tablesOf } from '#dev/testing';
import { exportedData } from '../src/db/exported-data.ts';
import { as, registerAccount, registerAdmin, registration } from './factories.ts';
import { startAuth } from './start-auth.ts';

const service = await startAuth();
const { auth, app } = service;
afterAll(service.stop);

const field = (resources: Record<string, unknown>[] | undefined, name: string): unknown[] =>
  (resources ?? []).map((resource) => resource[name]);

describe('ExportMyData of auth', () => {
  it('has account, sessions, personal tokens and what was done to the account, without a secret', async () => {
    const user = await registerAccount(service);
    await registerAccount(service);
    const ended = await auth.login(user.request);
    await auth.logout({ refreshToken: ended.tokens?.refreshToken ?? '' });
    const ttl = { seconds: 3600n, nanos: 0 };
    const tokens: string[] = [];
    for (let number = 0; number < 3; number += 1) {
      const request = { name: `Backup ${number}`, scopes: [Scope.TASKS_READ], ttl };
      tokens.push((await auth.createPersonalToken(request, as(user))).token);
    }
    const file = await exportFrom(app, as(user));
    const { byType } = file;
    expect(byType['account']).toEqual([
      expect.objectContaining({ id: user.account.id, email: user.request.email, role: 'ROLE_USER', enabled: true }),
    ]);
    expect(byType['session']).toEqual([expect.objectContaining({ current: true, ipAddress: '127.0.0.1' })]);
    expect(byType['ended_session']).toHaveLength(1);
    expect(field(byType['personal_token'], 'name')).toEqual(['Backup 2', 'Backup 1', 'Backup 0']);
    expect(byType['invitation']).toEqual([]);
    const actions = field(byType['audit_event'], 'action');
    expect(actions[0]).toBe('data_exported');
    expect(actions).toEqual(expect.arrayContaining(['registered', 'signed_in', 'personal_token_created']));
    const text = JSON.stringify(file);
    for (const secret of [...tokens, user.request.password, user.tokens.refreshToken, 'argon2'])
      expect(text).not.toContain(secret);
  });

  it('has the invitations that the caller made, page after page', async () => {
    const admin = await registerAdmin(service);
    const other = await registerAdmin(service);
    await auth.inviteUser({ email: registration().email }, as(other));
    const { invitation } = await auth.inviteUser({ email: registration().email }, as(admin));
    await service.sql(
      `insert into invitations (id, email, mailbox, token_hash, inviter_id, create_time, expire_time)
       select gen_random_uuid(), email, 'x' || n, token_hash || n, inviter_id, create_time, expire_time
       from invitations, generate_series(1, 250) n where id = $1`,
      [invitation?.id],
    );
    const { byType } = await exportFrom(app, as(admin));
    expect(new Set(field(byType['invitation'], 'id')).size).toBe(251);
    expect(new Set(field(byType['invitation'], 'inviterId'))).toEqual(new Set([admin.account.id]));
  });

  it('names every table, as exported or with the reason why not', async () => {
    expect(tablesOf(exportedData)).toEqual(await listTables(service.sql));
  });
});
