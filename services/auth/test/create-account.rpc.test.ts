import { randomUUID } from 'node:crypto';
import { afterAll, describe, expect, it } from '@jest/globals';
import { CreateAccountRequest, MailKind, Role } from '#contract/auth/v1/auth';
import { invalidFields, kindAndReason } from '#dev/testing';
import { retry } from '#dev/stubs';
import { as, lostRace, registerAccount, registerAdmin, registration } from './factories.ts';
import { listMails, readMail, startWithMail, tokenFor } from './mailbox.ts';
import { startAuth, useAfterTest } from './start-auth.ts';

useAfterTest();

/** Registration is open, so that its administrator can register. */
const service = await startAuth();
afterAll(service.stop);
const admin = await registerAdmin(service);
const closed = await startAuth({ replicaOf: service, config: { registration: 'closed' } });
afterAll(closed.stop);

const password = 'correct horse battery';
const request = (fields: Partial<CreateAccountRequest> = {}): CreateAccountRequest =>
  CreateAccountRequest.fromPartial({
    email: registration().email,
    displayName: 'Grace',
    role: Role.USER,
    password,
    ...fields,
  });
const create = (fields: Partial<CreateAccountRequest> = {}, { auth } = service) =>
  auth.createAccount(request(fields), as(admin));
const withMail = await startWithMail();
afterAll(withMail.stop);
const adminOfMail = await registerAdmin(withMail);
const createMailed = (fields: Partial<CreateAccountRequest> = {}) =>
  withMail.auth.createAccount(request(fields), as(adminOfMail));
const signIn = (email: string, secret = password) => service.auth.login({ email, password: secret });
const countAccounts = async (email: string) =>
  (await service.sql('select 1 from accounts where email = $1', [email])).length;

describe('CreateAccount', () => {
  it('makes an account that can sign in at once, in any mode of registration, and signs nobody in', async () => {
    for (const replica of [service, closed]) {
      const { email } = request();
      const { account, ...rest } = await create({ email: email.toUpperCase() }, replica);
      expect(rest).toEqual({});
      expect(account).toMatchObject({ email, role: Role.USER, enabled: true });
      expect(await service.sql('select 1 from sessions where account_id = $1', [account?.id])).toEqual([]);
      expect((await signIn(email)).account).toEqual(account);
    }
  });

  it('makes an administrator who may do what administrators may', async () => {
    const { email } = request();
    expect((await create({ email, role: Role.ADMIN })).account?.role).toBe(Role.ADMIN);
    await service.auth.createAccount(request(), as(await signIn(email)));
  });

  it('sends the profile with the name to users', async () => {
    const { account } = await create({ displayName: ' Grace Hopper ' });
    const [message] = await service.sql<{ payload: object }>(
      `select payload from outbox where payload->>'accountId' = $1`,
      [account?.id],
    );
    expect(message?.payload).toMatchObject({ displayName: 'Grace Hopper', role: 'user', email: account?.email });
  });

  it('without a password lets nobody sign in, and answers that like a wrong one', async () => {
    const { email } = request();
    await create({ email, password: '' });
    for (const secret of [password, 'undefined', ' ']) {
      expect(await kindAndReason(signIn(email, secret))).toBe('unauthenticated/CREDENTIALS_INVALID');
    }
  });

  it('sends no mail where this server sends none', async () => {
    const { account } = await create({ password: '' });
    expect(await service.sql('select 1 from mails where account_id = $1', [account?.id])).toEqual([]);
  });

  it('refuses an e-mail that has an account, in every spelling', async () => {
    const { account } = await registerAccount(service, { email: `straße-${randomUUID()}@example.com` });
    for (const email of [account.email, account.email.toUpperCase(), account.email.replace('ß', 'ss')])
      expect(await kindAndReason(create({ email }))).toBe('already_exists/EMAIL_TAKEN');
    expect(await kindAndReason(create({ email: account.email, validateOnly: true }))).toBe(
      'already_exists/EMAIL_TAKEN',
    );
  });

  it('names everything that is wrong', async () => {
    const wrong = { email: 'nobody', displayName: ' ', role: Role.UNSPECIFIED, requestId: '/' };
    const fields = await invalidFields(create({ ...wrong, password: 'short' }));
    expect(fields.toSorted()).toEqual(['display_name', 'email', 'password', 'request_id', 'role']);
    for (const bad of ['password', 'x'.repeat(1025), `${password}\u0007`])
      expect(await invalidFields(create({ password: bad }))).toEqual(['password']);
  });

  it('only checks with validate_only', async () => {
    const { email } = request();
    expect((await create({ email, validateOnly: true })).account).toMatchObject({ email, role: Role.USER });
    expect(await countAccounts(email)).toBe(0);
  });

  it('answers a repeat with the same account, and no other request under its id', async () => {
    const repeated = request({ requestId: randomUUID() });
    const first = await service.auth.createAccount(repeated, as(admin));
    expect(await closed.auth.createAccount(repeated, as(admin))).toEqual(first);
    for (const other of [{ password: 'another horse battery' }, { email: request().email }, { role: Role.ADMIN }])
      expect(await kindAndReason(service.auth.createAccount({ ...repeated, ...other }, as(admin)))).toBe(
        'invalid_argument/REQUEST_ID_REUSED',
      );
    expect(await countAccounts(repeated.email)).toBe(1);
  });

  it('makes one account of 50 calls at the same time, and all with one request id have its answer', async () => {
    const repeated = request({ requestId: randomUUID() });
    const call = (index: number) =>
      (index % 2 === 0 ? service : closed).auth.createAccount(
        index % 5 === 0 ? { ...repeated, requestId: '' } : repeated,
        { ...as(admin), timeoutMs: 60_000 },
      );
    const results = await Promise.allSettled(Array.from({ length: 50 }, (_, index) => call(index)));
    const made = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value.account?.id] : []));
    const reasons = results.flatMap((result) =>
      result.status === 'rejected' ? [(result.reason as { reason: string }).reason] : [],
    );
    expect([...lostRace, 'REQUEST_IN_PROGRESS']).toEqual(expect.arrayContaining([...new Set(reasons)]));
    await retry(() => call(1)).catch(() => undefined);
    expect(await countAccounts(repeated.email)).toBe(1);
    expect(new Set(made).size).toBeLessThanOrEqual(1);
  }, 180_000);

  it('logs who made which account, without e-mail, name and password', async () => {
    const { account } = await create();
    const lines = service.logLines.filter((line) => line.includes('account_created'));
    const line = lines.find((one) => one.includes(account?.id ?? 'none'));
    expect(JSON.parse(line ?? '{}')).toMatchObject({ role: 'user', enabled: 'true', by: admin.account.id });
    for (const secret of [account?.email ?? '', password, 'Grace']) expect(line).not.toContain(secret);
  });
});

describe('the mail of a created account', () => {
  const newPassword = 'another horse battery';

  it('lets the person set a password once, for as long as an invitation is open, which verifies the e-mail', async () => {
    const { email } = request();
    const { account } = await createMailed({ email, password: '' });
    const [mail = '', ...others] = await listMails(withMail, email, 'account_created');
    expect([others, await listMails(withMail, email, 'email_verification')]).toEqual([[], []]);
    expect(await readMail(withMail, mail)).toMatchObject({
      kind: MailKind.ACCOUNT_CREATED,
      accountId: account?.id,
      recipientEmail: email,
      expireTime: expect.any(Date),
    });
    withMail.clock.advance(withMail.config.invitationLifetimeMs - 60_000);
    const token = await tokenFor(withMail, email, 'account_created');
    expect(token).toMatch(/^tfw_[\w-]{43}$/);
    const { account: ready } = await withMail.auth.resetPassword({ token, newPassword });
    expect(ready).toMatchObject({ id: account?.id, emailVerified: true });
    await withMail.auth.login({ email, password: newPassword });
    expect(await kindAndReason(withMail.auth.resetPassword({ token, newPassword }))).toBe(
      'failed_precondition/RESET_INVALID',
    );
  });

  it('verifies the e-mail when there is a password, and does not tell it', async () => {
    const { email } = request();
    await createMailed({ email });
    expect(await listMails(withMail, email, 'account_created')).toEqual([]);
    const [mail = ''] = await listMails(withMail, email, 'email_verification');
    expect(JSON.stringify(await readMail(withMail, mail))).not.toContain(password);
    const token = await tokenFor(withMail, email, 'email_verification');
    expect((await withMail.auth.verifyEmail({ token })).account).toMatchObject({ email, emailVerified: true });
    await withMail.auth.login({ email, password });
  });

  it('is sent once for all repeats, and not for a check', async () => {
    const repeated = request({ password: '', requestId: randomUUID() });
    await createMailed({ ...repeated, requestId: '', validateOnly: true });
    expect(await listMails(withMail, repeated.email, 'account_created')).toEqual([]);
    for (let index = 0; index < 3; index += 1) await createMailed(repeated);
    expect(await listMails(withMail, repeated.email, 'account_created')).toHaveLength(1);
  });

  it('is not sent any more when the account is disabled, or the person has asked for another one', async () => {
    const [disabled, asking] = [request({ password: '' }), request({ password: '' })];
    const { account } = await createMailed(disabled);
    await createMailed(asking);
    await withMail.auth.disableAccount({ accountId: account?.id ?? '' }, as(adminOfMail));
    await withMail.auth.requestPasswordReset(asking);
    await tokenFor(withMail, asking.email, 'password_reset');
    for (const { email } of [disabled, asking]) {
      const [mail = ''] = await listMails(withMail, email, 'account_created');
      expect(await kindAndReason(readMail(withMail, mail))).toBe('not_found/MAIL_NOT_FOUND');
    }
  });

  it('has expired once an invitation would have', async () => {
    const { email } = request();
    await createMailed({ email, password: '' });
    const token = await tokenFor(withMail, email, 'account_created');
    withMail.clock.advance(withMail.config.invitationLifetimeMs + 1000);
    expect(await kindAndReason(withMail.auth.resetPassword({ token, newPassword }))).toBe(
      'failed_precondition/RESET_INVALID',
    );
  });
});
