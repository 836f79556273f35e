import { randomUUID } from 'node:crypto';
import { afterAll, describe, expect, it } from '@jest/globals';
import { Role } from '#contract/auth/v1/auth';
import { Scope } from '#contract/policy/v1/policy';
import { invalidFields, kindAndReason } from '#dev/testing';
import { Account } from '../src/domain/account.entity.ts';
import { as, registerAccount, registerAdmin, tokenInvalid, untilRefused } from './factories.ts';
import { startAuth } from './start-auth.ts';

const service = await startAuth();
afterAll(service.stop);
const { auth } = service;
const admin = await registerAdmin(service);

const scopes: Scope[] = [Scope.ACCOUNT_READ];
const request = { name: 'Backup', scopes, ttl: { seconds: 3600n, nanos: 0 } };

async function createServiceAccount(displayName = 'Backup'): Promise<string> {
  const { account } = await auth.createServiceAccount({ displayName }, as(admin));
  return account?.id ?? '';
}

const createToken = (accountId: string, who: { token: string } = as(admin), given = scopes) =>
  auth.createPersonalToken({ ...request, scopes: given, accountId }, who);

const adminRequired = 'permission_denied/ADMIN_REQUIRED';

describe('a service account', () => {
  it('A17: has tokens that administrators create, and neither e-mail nor sign-in', async () => {
    const { account } = await auth.createServiceAccount({ displayName: 'Backup' }, as(admin));
    expect(account).toEqual({
      id: expect.stringMatching(/^[0-9a-f-]{36}$/),
      email: '',
      emailVerified: false,
      role: Role.USER,
      enabled: true,
      serviceAccount: true,
      createTime: expect.any(Date),
      etag: expect.any(String),
    });
    const id = account?.id ?? '';
    const { personalToken, token } = await createToken(id);
    expect(personalToken).toMatchObject({ accountId: id, creatorId: admin.account.id });
    expect((await auth.listSessions({}, { token })).sessions).toEqual([]);
    // What stands in place of an e-mail opens nothing.
    const [{ email } = { email: '' }] = await service.sql<{ email: string }>(
      'select email from accounts where id = $1',
      [id],
    );
    for (const password of ['', ' ', 'correct horse battery'])
      expect(await kindAndReason(auth.login({ email, password }))).toMatch(
        /^(unauthenticated\/CREDENTIALS_INVALID|invalid_argument\/INVALID_FIELD)$/,
      );
  });

  it('cannot be given an e-mail or a password', () => {
    const account = Account.createForService({ id: randomUUID(), registeredName: 'Backup' }, new Date());
    expect(() => account.changePassword('hash', new Date())).toThrow('no e-mail and no password');
    expect(() => account.changeEmail('backup@example.com', new Date())).toThrow('no e-mail and no password');
  });

  it('is a matter of administrators: they alone create it, its tokens, and end them', async () => {
    const user = await registerAccount(service);
    expect(await kindAndReason(auth.createServiceAccount({ displayName: 'Mine' }, as(user)))).toBe(adminRequired);
    const id = await createServiceAccount();
    expect(await kindAndReason(createToken(id, as(user)))).toBe(adminRequired);
    expect(await kindAndReason(auth.listPersonalTokens({ accountId: id }, as(user)))).toBe(adminRequired);
    const { personalToken, token } = await createToken(id);
    const personalTokenId = personalToken?.id ?? '';
    expect(await kindAndReason(auth.revokePersonalToken({ personalTokenId }, as(user)))).toBe(
      'not_found/PERSONAL_TOKEN_NOT_FOUND',
    );
    const { personalTokens } = await auth.listPersonalTokens({ accountId: id }, as(admin));
    expect(personalTokens).toMatchObject([{ id: personalTokenId, accountId: id }]);
    await auth.listSessions({}, { token });
    await auth.revokePersonalToken({ personalTokenId }, as(admin));
    expect((await untilRefused(() => auth.listSessions({}, { token }))).error).toMatchObject(tokenInvalid);
  });

  it('is the only other account whose tokens an administrator can create; those of people can be ended', async () => {
    const user = await registerAccount(service);
    expect(await kindAndReason(createToken(user.account.id))).toBe('failed_precondition/SERVICE_ACCOUNT_REQUIRED');
    expect(await kindAndReason(createToken(randomUUID()))).toBe('not_found/USER_NOT_FOUND');
    expect(await kindAndReason(auth.listPersonalTokens({ accountId: randomUUID() }, as(admin)))).toBe(
      'not_found/USER_NOT_FOUND',
    );
    const { personalToken, token } = await createToken(user.account.id, as(user));
    await auth.revokePersonalToken({ personalTokenId: personalToken?.id ?? '' }, as(admin));
    expect((await untilRefused(() => auth.listSessions({}, { token }))).error).toMatchObject(tokenInvalid);
  });

  it('can be an administrator, but is none of those of whom one must be left', async () => {
    const id = await createServiceAccount();
    expect(await kindAndReason(createToken(id, as(admin), [Scope.ADMIN]))).toBe(adminRequired);
    await auth.setRole({ accountId: id, role: Role.ADMIN }, as(admin));
    await createToken(id, as(admin), [Scope.ADMIN]);
    // Whoever else became an administrator in this file is none any more.
    await service.sql(`update accounts set role = 'user' where id <> all ($1)`, [[id, admin.account.id]]);
    expect(await kindAndReason(auth.disableAccount({ accountId: admin.account.id }, as(admin)))).toBe(
      'failed_precondition/LAST_ADMIN',
    );
    const { account } = await auth.setRole({ accountId: id, role: Role.USER }, as(admin));
    expect(account).toMatchObject({ id, email: '', role: Role.USER, serviceAccount: true });
  });

  it('comes once for all repeats, and with validate_only not at all', async () => {
    const repeated = { displayName: 'Once', requestId: randomUUID() };
    const first = await auth.createServiceAccount(repeated, as(admin));
    expect(await auth.createServiceAccount(repeated, as(admin))).toEqual(first);
    await auth.createServiceAccount({ displayName: 'Never', validateOnly: true }, as(admin));
    const rows = await service.sql(`select registered_name from accounts where registered_name in ('Once', 'Never')`);
    expect(rows).toEqual([{ registered_name: 'Once' }]);
  });

  it('names what is wrong', async () => {
    const wrong = { displayName: '', requestId: '/' };
    expect(await invalidFields(auth.createServiceAccount(wrong, as(admin)))).toEqual(['display_name', 'request_id']);
    expect(await invalidFields(createToken('x'))).toEqual(['account_id']);
    expect(await invalidFields(auth.listPersonalTokens({ accountId: 'x' }, as(admin)))).toEqual(['account_id']);
  });
});
