import { randomBytes } from 'node:crypto';
import { afterAll, describe, expect, it } from '@jest/globals';
import { waitUntil } from '#dev/cluster';
import { invalidFields, kindAndReason } from '#dev/testing';
import { as, refresh, registerAccount, registerAdmin, registration, untilRefused } from './factories.ts';
import { listMails, readMail, startWithMail, tokenFor, untilCarriedOut } from './mailbox.ts';
import { afterTest, startForTest, useAfterTest } from './start-auth.ts';

useAfterTest();

const service = await startWithMail();
afterAll(service.stop);
const { auth } = service;
const admin = await registerAdmin(service);

const newPassword = 'another horse battery';
const invalid = 'failed_precondition/RESET_INVALID';
const wrong = 'unauthenticated/CREDENTIALS_INVALID';

const reset = (token: string, password = newPassword) => auth.resetPassword({ token, newPassword: password });

/** Asks for a reset, and gives the token that is mailed. */
async function requestToken(email: string, count = 1): Promise<string> {
  await auth.requestPasswordReset({ email });
  return tokenFor(service, email, 'password_reset', count);
}

describe('A12: RequestPasswordReset', () => {
  it('lets a person who forgot the password back in', async () => {
    const { request, tokens } = await registerAccount(service);
    const token = await requestToken(request.email.toUpperCase().toLowerCase());
    expect(token).toMatch(/^tfw_[\w-]{43}$/);
    const { account } = await reset(token);
    expect(account).toMatchObject({ email: request.email, emailVerified: true });
    expect(await kindAndReason(auth.login(request))).toBe(wrong);
    await auth.login({ ...request, password: newPassword });
    expect(await kindAndReason(refresh(service, { tokens }))).toBe('unauthenticated/REFRESH_TOKEN_INVALID');
    expect((await untilRefused(() => auth.listSessions({}, as({ tokens })))).error).toMatchObject({
      reason: 'TOKEN_INVALID',
    });
    const [notice = ''] = await listMails(service, request.email, 'account_recovered');
    expect(await readMail(service, notice)).toMatchObject({
      accountId: account?.id,
      recipientEmail: request.email,
      token: '',
      eventTime: expect.any(Date),
    });
  });

  it('answers an unknown and a disabled e-mail alike, after recording the same, and mails them nothing', async () => {
    const known = await registerAccount(service);
    const disabled = await registerAccount(service);
    await auth.disableAccount({ accountId: disabled.account.id }, as(admin));
    await service.sql(`
      create table seen (kind text, keys text, size int);
      create function see() returns trigger language plpgsql as $$ begin
        insert into seen select new.kind, (select string_agg(k, ',' order by k) from jsonb_object_keys(new.payload) k),
          length(new.payload->>'email');
        return new;
      end $$;
      create trigger see before insert on outbox for each row when (new.kind = 'carry-out-wish') execute function see();`);
    const emails = [known.request.email, disabled.request.email, registration().email];
    const answers = [];
    for (const email of emails) answers.push(await auth.requestPasswordReset({ email }));
    expect(answers).toEqual([{}, {}, {}]);
    const seen = await service.sql<object>('select kind, keys from seen');
    expect(seen).toHaveLength(3);
    expect(new Set(seen.map((row) => JSON.stringify(row))).size).toBe(1);
    await service.sql('drop trigger see on outbox; drop function see; drop table seen;');
    await untilCarriedOut(service);
    const counts = [];
    for (const email of emails) counts.push((await listMails(service, email, 'password_reset')).length);
    expect(counts).toEqual([1, 0, 0]);
  });

  it('mails to the e-mail as the account has it, in whichever spelling it was asked for', async () => {
    const email = registration().email.replace('example', 'bücher.example');
    await registerAccount(service, { email });
    await auth.requestPasswordReset({ email: email.replace('bücher', 'XN--BCHER-KVA') });
    expect(await tokenFor(service, email, 'password_reset')).not.toBe('');
  });

  it('ends the older token, and its mail is not sent any more', async () => {
    const { request } = await registerAccount(service);
    const first = await requestToken(request.email);
    const [firstMail = ''] = await listMails(service, request.email, 'password_reset');
    const second = await requestToken(request.email, 2);
    expect(await kindAndReason(readMail(service, firstMail))).toBe('not_found/MAIL_NOT_FOUND');
    expect(await kindAndReason(reset(first))).toBe(invalid);
    await reset(second);
  });

  it('sends an account no more than is allowed in an hour, and says nothing about it', async () => {
    const { request } = await registerAccount(service);
    for (let index = 0; index < 7; index += 1) expect(await auth.requestPasswordReset(request)).toEqual({});
    await untilCarriedOut(service);
    expect(await listMails(service, request.email, 'password_reset')).toHaveLength(5);
    service.clock.advance(3_600_001);
    expect(await requestToken(request.email, 6)).not.toBe('');
  });

  it('makes one mail of a wish that is carried out twice', async () => {
    const { request } = await registerAccount(service);
    await requestToken(request.email);
    await service.sql(
      `insert into outbox (id, kind, payload) select gen_random_uuid(), 'carry-out-wish',
         jsonb_build_object('mailId', id, 'kind', 'password_reset', 'email', email) from mails where email = $1 and kind = 'password_reset'`,
      [request.email],
    );
    await untilCarriedOut(service);
    expect(await listMails(service, request.email, 'password_reset')).toHaveLength(1);
  });

  it('is refused where no mail is sent', async () => {
    const silent = await startForTest({
      replicaOf: service,
      config: { recovery: { ...service.config.recovery, sendsMail: false } },
    });
    const { email } = registration();
    const off = 'failed_precondition/MAIL_OFF';
    expect(await kindAndReason(silent.auth.requestPasswordReset({ email }))).toBe(off);
    expect(await kindAndReason(silent.auth.requestEmailVerification({ email }))).toBe(off);
  });
});

describe('on several replicas', () => {
  it('a wish becomes one mail, whichever carries it out', async () => {
    const { request } = await registerAccount(service);
    const other = await startForTest({ replicaOf: service });
    await Promise.all([auth.requestPasswordReset(request), other.auth.requestPasswordReset(request)]);
    await untilCarriedOut(service);
    expect(await listMails(service, request.email, 'password_reset')).toHaveLength(2);
    await other.auth.resetPassword({ token: await tokenFor(service, request.email, 'password_reset', 2), newPassword });
  });

  it('a token that an older key made is mailed and used while keys are rotated', async () => {
    const { request } = await registerAccount(service);
    await auth.requestPasswordReset(request);
    const [mail = ''] = await waitUntil(
      () => listMails(service, request.email, 'password_reset'),
      (mails) => mails.length === 1,
    );
    const [older] = service.config.encryptionKeys;
    const newer = randomBytes(32);
    const rotated = await startForTest({
      replicaOf: service,
      config: { encryptionKeys: [newer, older as Buffer] },
    });
    const { token } = await readMail(rotated, mail);
    expect(token).toBe((await readMail(service, mail)).token);
    await rotated.auth.resetPassword({ token, newPassword });
    await auth.login({ ...request, password: newPassword });
  });

  it('a mail whose key is gone is not sent', async () => {
    const { request } = await registerAccount(service);
    const [mail = ''] = await listMails(service, request.email, 'email_verification');
    // A database of its own would have other signing keys; here the new key opens none of them.
    const strange = await startForTest({
      replicaOf: service,
      config: { encryptionKeys: [randomBytes(32)] },
      awaitReady: false,
    });
    expect(await kindAndReason(readMail(strange, mail))).toBe('not_found/MAIL_NOT_FOUND');
  });
});

describe('what has ended', () => {
  it('is removed: tokens at once, mails after a week', async () => {
    const own = await startWithMail();
    afterTest(own.stop);
    const { request } = await registerAccount(own);
    await own.auth.requestPasswordReset(request);
    await untilCarriedOut(own);
    const count = async () => (await own.sql('select 1 from account_tokens union all select 1 from mails')).length;
    expect(await count()).toBe(4);
    own.clock.advance(9 * 24 * 3_600_000);
    // It cleans when it starts.
    await startForTest({ replicaOf: own });
    await waitUntil(count, (rows) => rows === 0);
  });
});

describe('ResetPassword', () => {
  it('has one effect of 50 uses at the same time', async () => {
    const { request } = await registerAccount(service);
    const token = await requestToken(request.email);
    const passwords = Array.from({ length: 50 }, (_, index) => `battery horse ${index}`);
    const uses = await Promise.allSettled(
      passwords.map((password) => auth.resetPassword({ token, newPassword: password }, { timeoutMs: 60_000 })),
    );
    const winners = passwords.filter((_, index) => uses[index]?.status === 'fulfilled');
    expect(winners.length).toBeLessThanOrEqual(1);
    // A busy machine may have refused all of them for want of time, also after the one that counted.
    if (winners.length === 0) return;
    await auth.login({ ...request, password: winners[0] ?? '' });
    expect(await kindAndReason(reset(token))).toBe(invalid);
    expect(await listMails(service, request.email, 'account_recovered')).toHaveLength(1);
  }, 120_000);

  it('refuses a token that was used, has expired, or is of another kind', async () => {
    const { request } = await registerAccount(service);
    expect(await kindAndReason(reset('tfw_unknown'))).toBe(invalid);
    expect(await kindAndReason(reset(await tokenFor(service, request.email, 'email_verification')))).toBe(invalid);
    const token = await requestToken(request.email);
    await reset(token);
    expect(await kindAndReason(reset(token, 'a third horse battery'))).toBe(invalid);
    const late = await requestToken(request.email, 2);
    service.clock.advance(service.config.recovery.resetLifetimeMs);
    expect(await kindAndReason(reset(late))).toBe(invalid);
  });

  it('keeps the rules of passwords, and a refused password leaves the token', async () => {
    const { request } = await registerAccount(service);
    const token = await requestToken(request.email);
    expect(await invalidFields(reset('', 'password'))).toEqual(['token', 'new_password']);
    expect(await invalidFields(reset('x'.repeat(513), 'short'))).toEqual(['token', 'new_password']);
    expect(await invalidFields(reset(token, 'password'))).toEqual(['new_password']);
    await reset(token);
  });

  it('enables no disabled account', async () => {
    const { request, account } = await registerAccount(service);
    const token = await requestToken(request.email);
    await auth.disableAccount({ accountId: account.id }, as(await freshAdmin()));
    expect(await kindAndReason(reset(token))).toBe(invalid);
    expect(await kindAndReason(auth.login(request))).toBe(wrong);
  });

  it('ends with a change of the password', async () => {
    const user = await registerAccount(service);
    const token = await requestToken(user.request.email);
    await auth.changePassword({ currentPassword: user.request.password, newPassword }, as(user));
    expect(await kindAndReason(reset(token))).toBe(invalid);
    expect(await listMails(service, user.request.email, 'password_changed')).toHaveLength(1);
  });

  it('lets in at once whoever has tried wrong passwords before', async () => {
    const { request } = await registerAccount(service);
    for (let index = 0; index < 6; index += 1)
      await auth.login({ ...request, password: 'a wrong password' }).catch(() => undefined);
    expect(await kindAndReason(auth.login(request))).toBe('resource_exhausted/TOO_MANY_ATTEMPTS');
    await reset(await requestToken(request.email));
    await auth.login({ ...request, password: newPassword });
  });
});

/** Signed in again: tests before may have moved the clock beyond the life of a token. */
async function freshAdmin() {
  return { ...admin, ...(await auth.login(admin.request)) };
}

describe('A17: CreatePasswordReset', () => {
  it('gives an administrator a token, which a repeat gives again and the database never had', async () => {
    const { request, account } = await registerAccount(service);
    const change = { accountId: account.id, requestId: randomBytes(8).toString('hex') };
    const first = await auth.createPasswordReset(change, as(await freshAdmin()));
    expect(first.reset).toEqual({
      id: expect.any(String),
      accountId: account.id,
      createTime: expect.any(Date),
      expireTime: expect.any(Date),
    });
    expect(await auth.createPasswordReset(change, as(await freshAdmin()))).toEqual(first);
    const rows = await service.sql<{ found: boolean }>(
      `select exists (select from account_tokens t where t::text like '%' || $1 || '%') or exists (
         select from idempotency_records r where position(convert_to($1, 'UTF8') in r.response) > 0) as found`,
      [first.token],
    );
    expect(rows).toEqual([{ found: false }]);
    expect(service.logLines.join('')).not.toContain(first.token);
    expect((await reset(first.token)).account).toMatchObject({ emailVerified: false });
    await auth.login({ ...request, password: newPassword });
    expect(service.logLines.join('')).toContain('password_reset_created');
    expect(await auth.createPasswordReset(change, as(await freshAdmin()))).toEqual(first);
    expect(await kindAndReason(reset(first.token))).toBe(invalid);
  });

  it('tells a repeat what the call has done, also when a newer token has ended the one that it made', async () => {
    const { account } = await registerAccount(service);
    const change = { accountId: account.id, requestId: randomBytes(8).toString('hex') };
    const first = await auth.createPasswordReset(change, as(await freshAdmin()));
    const { token } = await auth.createPasswordReset({ accountId: account.id }, as(await freshAdmin()));
    expect(await auth.createPasswordReset(change, as(await freshAdmin()))).toEqual(first);
    expect(await kindAndReason(reset(first.token))).toBe(invalid);
    await reset(token);
  });

  it('only checks when it is told so', async () => {
    const { account } = await registerAccount(service);
    const { token } = await auth.createPasswordReset(
      { accountId: account.id, validateOnly: true },
      as(await freshAdmin()),
    );
    expect(await kindAndReason(reset(token))).toBe(invalid);
  });

  it('refuses an unknown and a disabled account, and whoever is no administrator', async () => {
    const user = await registerAccount(service);
    const caller = as(await freshAdmin());
    const create = (accountId: string, by = caller) => auth.createPasswordReset({ accountId }, by);
    expect(await kindAndReason(create(user.account.id, as(user)))).toBe('permission_denied/ADMIN_REQUIRED');
    expect(await kindAndReason(create('00000000-0000-4000-8000-000000000000'))).toBe('not_found/USER_NOT_FOUND');
    expect(await invalidFields(create('x'))).toEqual(['account_id']);
    await auth.disableAccount({ accountId: user.account.id }, caller);
    expect(await kindAndReason(create(user.account.id))).toBe('failed_precondition/ACCOUNT_DISABLED');
  });
});
