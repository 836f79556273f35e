import { afterAll, describe, expect, it } from '@jest/globals';
import { invalidFields, kindAndReason } from '#dev/testing';
import { retry } from '#dev/stubs';
import { as, registerAccount, registerAdmin, registration } from './factories.ts';
import { listMails, readMail, recovery, startWithMail, tokenFor, untilCarriedOut } from './mailbox.ts';
import { startForTest, useAfterTest } from './start-auth.ts';

useAfterTest();

const service = await startWithMail();
afterAll(service.stop);
const { auth } = service;

const invalid = 'failed_precondition/VERIFICATION_INVALID';
const newEmail = (): string => registration().email;

/** Asks for another e-mail, and gives the token that is mailed to it. */
async function askFor(email: string, user: Awaited<ReturnType<typeof registerAccount>>): Promise<string> {
  const answer = await auth.changeEmail({ currentPassword: user.request.password, newEmail: email }, as(user));
  expect(answer).toMatchObject({ account: { email: user.request.email }, pendingEmail: email });
  return tokenFor(service, email, 'email_verification', 1);
}

/** The messages to users about an account, as far as they concern its e-mail; oldest first. */
const toldUsers = (accountId: string) =>
  service.sql<object>(
    `select payload->'email' as email, payload->'emailVerified' as verified from outbox
     where kind = 'upsert-profile' and payload->>'accountId' = $1 order by (payload->>'accountVersion')::int`,
    [accountId],
  );

describe('A12: VerifyEmail', () => {
  it('verifies the e-mail of a registration by its mail, once, and tells users', async () => {
    const { request, account } = await registerAccount(service);
    expect(account.emailVerified).toBe(false);
    const token = await tokenFor(service, request.email, 'email_verification');
    expect(token).toMatch(/^tfv_[\w-]{43}$/);
    const verified = await auth.verifyEmail({ token });
    expect(verified.account).toEqual({ ...account, emailVerified: true, etag: expect.any(String) });
    expect(verified.account?.etag).not.toBe(account.etag);
    expect(await kindAndReason(auth.verifyEmail({ token }))).toBe(invalid);
    expect(await toldUsers(account.id)).toEqual([
      { email: request.email, verified: false },
      { email: request.email, verified: true },
    ]);
  });

  it('has one effect of 50 uses at the same time', async () => {
    const user = await registerAccount(service);
    const email = newEmail();
    const token = await askFor(email, user);
    const uses = await Promise.allSettled(
      Array.from({ length: 50 }, () => auth.verifyEmail({ token }, { timeoutMs: 60_000 })),
    );
    expect(uses.filter(({ status }) => status === 'fulfilled').length).toBeLessThanOrEqual(1);
    // A busy machine may have refused all of them for want of time.
    await retry(() => auth.verifyEmail({ token })).catch(() => undefined);
    await auth.login({ ...user.request, email });
    expect(await listMails(service, user.request.email, 'email_changed')).toHaveLength(1);
  }, 120_000);

  it('refuses what is unknown, has expired, or belongs to a disabled account', async () => {
    const { request, account } = await registerAccount(service);
    const token = await tokenFor(service, request.email, 'email_verification');
    expect(await kindAndReason(auth.verifyEmail({ token: 'tfv_unknown' }))).toBe(invalid);
    expect(await invalidFields(auth.verifyEmail({ token: '' }))).toEqual(['token']);
    await auth.disableAccount({ accountId: account.id }, as(await registerAdmin(service)));
    expect(await kindAndReason(auth.verifyEmail({ token }))).toBe(invalid);
    const [mail = ''] = await listMails(service, request.email, 'email_verification');
    expect(await kindAndReason(readMail(service, mail))).toBe('not_found/MAIL_NOT_FOUND');
    const late = await registerAccount(service);
    const lateToken = await tokenFor(service, late.request.email, 'email_verification');
    service.clock.advance(recovery.verificationLifetimeMs);
    expect(await kindAndReason(auth.verifyEmail({ token: lateToken }))).toBe(invalid);
  });
});

describe('RequestEmailVerification', () => {
  it('mails another token, until the e-mail is verified', async () => {
    const { request } = await registerAccount(service);
    const first = await tokenFor(service, request.email, 'email_verification');
    expect(await auth.requestEmailVerification(request)).toEqual({});
    const second = await tokenFor(service, request.email, 'email_verification', 2);
    expect(await kindAndReason(auth.verifyEmail({ token: first }))).toBe(invalid);
    await auth.verifyEmail({ token: second });
    expect(await auth.requestEmailVerification(request)).toEqual({});
    expect(await auth.requestEmailVerification({ email: newEmail() })).toEqual({});
    await untilCarriedOut(service);
    expect(await listMails(service, request.email, 'email_verification')).toHaveLength(2);
  });
});

describe('ChangeEmail where mail is sent', () => {
  it('counts once the new e-mail is verified, and the old one is told before and after', async () => {
    const user = await registerAccount(service);
    const { email: oldEmail } = user.request;
    const email = newEmail();
    const token = await askFor(email, user);
    await auth.login(user.request);
    const [asked = ''] = await listMails(service, oldEmail, 'email_change_requested');
    expect(await readMail(service, asked)).toMatchObject({ recipientEmail: oldEmail, newEmail: email, token: '' });
    expect((await auth.verifyEmail({ token })).account).toMatchObject({ email, emailVerified: true });
    const [changed = ''] = await listMails(service, oldEmail, 'email_changed');
    expect(await readMail(service, changed)).toMatchObject({ recipientEmail: oldEmail, newEmail: email, token: '' });
    await auth.login({ ...user.request, email });
    expect(await kindAndReason(auth.login(user.request))).toBe('unauthenticated/CREDENTIALS_INVALID');
  });

  it('gives the e-mail to one of two accounts that ask for it', async () => {
    const email = newEmail();
    const [one, two] = [await registerAccount(service), await registerAccount(service)];
    const first = await askFor(email, one);
    await auth.changeEmail({ currentPassword: two.request.password, newEmail: email }, as(two));
    const second = await tokenFor(service, email, 'email_verification', 2);
    const uses = await Promise.allSettled([first, second].map((token) => auth.verifyEmail({ token })));
    const refused = uses.flatMap((use) => (use.status === 'rejected' ? [use.reason as unknown] : []));
    expect(refused).toEqual([expect.objectContaining({ reason: 'EMAIL_TAKEN' })]);
    expect(await service.sql('select 1 from accounts where email = $1', [email])).toHaveLength(1);
  });

  it('refuses the e-mail of another account at once', async () => {
    const [one, two] = [await registerAccount(service), await registerAccount(service)];
    const change = auth.changeEmail({ currentPassword: one.request.password, newEmail: two.request.email }, as(one));
    expect(await kindAndReason(change)).toBe('already_exists/EMAIL_TAKEN');
  });

  it('keeps the last wish only: another e-mail, or the old one again', async () => {
    const user = await registerAccount(service);
    const first = await askFor(newEmail(), user);
    const second = await askFor(newEmail(), user);
    expect(await kindAndReason(auth.verifyEmail({ token: first }))).toBe(invalid);
    const kept = { currentPassword: user.request.password, newEmail: user.request.email };
    expect(await auth.changeEmail(kept, as(user))).toMatchObject({ pendingEmail: '' });
    expect(await kindAndReason(auth.verifyEmail({ token: second }))).toBe(invalid);
  });

  it('changes the spelling of the same mailbox at once, which stays verified', async () => {
    const email = newEmail().replace('example', 'bücher.example');
    const user = await registerAccount(service, { email });
    await auth.verifyEmail({ token: await tokenFor(service, email, 'email_verification') });
    const spelled = email.replace('bücher', 'xn--bcher-kva');
    const change = { currentPassword: user.request.password, newEmail: spelled };
    expect(await auth.changeEmail(change, as(user))).toMatchObject({
      account: { email: spelled, emailVerified: true },
      pendingEmail: '',
    });
  });

  it('ends the reset that was mailed to the old e-mail', async () => {
    const user = await registerAccount(service);
    await auth.requestPasswordReset(user.request);
    const reset = await tokenFor(service, user.request.email, 'password_reset');
    await auth.verifyEmail({ token: await askFor(newEmail(), user) });
    const use = auth.resetPassword({ token: reset, newPassword: 'another horse battery' });
    expect(await kindAndReason(use)).toBe('failed_precondition/RESET_INVALID');
  });

  it('ends with a change of the password, so that the owner, who was told, can stop it', async () => {
    const user = await registerAccount(service);
    const token = await askFor(newEmail(), user);
    const change = { currentPassword: user.request.password, newPassword: 'another horse battery' };
    await auth.changePassword(change, as(user));
    expect(await kindAndReason(auth.verifyEmail({ token }))).toBe(invalid);
  });

  it("ends with a reset, too, which leaves the verification of the account's own e-mail", async () => {
    const user = await registerAccount(service);
    const own = await tokenFor(service, user.request.email, 'email_verification');
    const other = await askFor(newEmail(), user);
    const admin = await registerAdmin(service);
    const { token } = await auth.createPasswordReset({ accountId: user.account.id }, as(admin));
    await auth.resetPassword({ token, newPassword: 'another horse battery' });
    expect(await kindAndReason(auth.verifyEmail({ token: other }))).toBe(invalid);
    await auth.verifyEmail({ token: own });
  });

  it('sends no more than is allowed in an hour', async () => {
    const user = await registerAccount(service);
    const ask = () => auth.changeEmail({ currentPassword: user.request.password, newEmail: newEmail() }, as(user));
    // The registration sent the first.
    for (let index = 1; index < recovery.mailsPerHour; index += 1) await ask();
    expect(await kindAndReason(ask())).toBe('resource_exhausted/TOO_MANY_MAILS');
  });

  it('without mail changes it at once, and nobody has verified it', async () => {
    const silent = await startForTest({ replicaOf: service, config: { recovery: { ...recovery, sendsMail: false } } });
    const user = await registerAccount(service);
    await auth.verifyEmail({ token: await tokenFor(service, user.request.email, 'email_verification') });
    const email = newEmail();
    const change = { currentPassword: user.request.password, newEmail: email };
    expect(await silent.auth.changeEmail(change, as(user))).toMatchObject({
      account: { email, emailVerified: false },
      pendingEmail: '',
    });
  });
});

describe('where one signs in with a verified e-mail only', () => {
  const refused = 'permission_denied/EMAIL_UNVERIFIED';

  it('a registration gives no tokens, and the right password does not sign in until the e-mail is verified', async () => {
    const strict = await startForTest({
      replicaOf: service,
      config: { recovery: { ...recovery, unverifiedMaySignIn: false } },
    });
    const request = registration();
    const { account, tokens } = await strict.auth.register(request);
    expect([account?.emailVerified, tokens]).toEqual([false, undefined]);
    expect(await kindAndReason(strict.auth.login({ ...request, password: 'a wrong password' }))).toBe(
      'unauthenticated/CREDENTIALS_INVALID',
    );
    expect(await kindAndReason(strict.auth.login(request))).toBe(refused);
    await strict.auth.verifyEmail({ token: await tokenFor(service, request.email, 'email_verification') });
    await strict.auth.login(request);
  });

  it('a reset by mail verifies, one by an administrator does not', async () => {
    const strict = await startForTest({
      replicaOf: service,
      config: { recovery: { ...recovery, unverifiedMaySignIn: false } },
    });
    const admin = await registerAdmin(service);
    const request = registration();
    const { account } = await strict.auth.register(request);
    const { token } = await auth.createPasswordReset({ accountId: account?.id ?? '' }, as(admin));
    const newPassword = 'another horse battery';
    await strict.auth.resetPassword({ token, newPassword });
    expect(await kindAndReason(strict.auth.login({ ...request, password: newPassword }))).toBe(refused);
    await strict.auth.requestPasswordReset(request);
    await strict.auth.resetPassword({ token: await tokenFor(service, request.email, 'password_reset'), newPassword });
    await strict.auth.login({ ...request, password: newPassword });
  });
});

describe('InviteUser where mail is sent', () => {
  it('mails a token of its own, which verifies the e-mail of whoever registers with it', async () => {
    const admin = await registerAdmin(service);
    const email = newEmail();
    const { token, invitation } = await auth.inviteUser({ email }, as(admin));
    const mailed = await tokenFor(service, email, 'invitation');
    expect(mailed).toMatch(/^tfi_[\w-]{43}$/);
    expect(mailed).not.toBe(token);
    const [mail = ''] = await listMails(service, email, 'invitation');
    expect(await readMail(service, mail)).toMatchObject({
      accountId: '',
      recipientEmail: email,
      expireTime: invitation?.expireTime,
    });
    const { account } = await auth.register(registration({ email, invitationToken: mailed }));
    expect(account?.emailVerified).toBe(true);
    expect(await kindAndReason(auth.register(registration({ email, invitationToken: token })))).toBe(
      'failed_precondition/INVITATION_INVALID',
    );
    expect(await kindAndReason(readMail(service, mail))).toBe('not_found/MAIL_NOT_FOUND');
  });

  it('does not take the token of the answer for a sign that the mail was read', async () => {
    const admin = await registerAdmin(service);
    const email = newEmail();
    const { token } = await auth.inviteUser({ email }, as(admin));
    const { account } = await auth.register(registration({ email, invitationToken: token }));
    expect(account?.emailVerified).toBe(false);
  });

  it('does not send the mail of an invitation that was revoked', async () => {
    const admin = await registerAdmin(service);
    const email = newEmail();
    const { invitation } = await auth.inviteUser({ email }, as(admin));
    await auth.revokeInvitation({ invitationId: invitation?.id ?? '' }, as(admin));
    const [mail = ''] = await listMails(service, email, 'invitation');
    expect(await kindAndReason(readMail(service, mail))).toBe('not_found/MAIL_NOT_FOUND');
  });
});
