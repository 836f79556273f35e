import { randomBytes } from 'node:crypto';
import { afterAll, describe, expect, it } from '@jest/globals';
import { invalidFields, kindAndReason, readPages } from '#dev/testing';
import { as, registerAdmin, registerAccount, registration } from './factories.ts';
import { startAuth, startForTest, type TestAuth, useAfterTest } from './start-auth.ts';

useAfterTest();

const invalid = 'failed_precondition/INVITATION_INVALID';
const closed = 'permission_denied/REGISTRATION_CLOSED';
const dayMs = 24 * 3_600_000;

/** Registration is open, so that its administrator can register. Others take the database over with other settings. */
const open = await startAuth();
afterAll(open.stop);
let admin = await registerAdmin(open);
const invited = await startAuth({ replicaOf: open, config: { registration: 'invitation' } });
afterAll(invited.stop);

const newEmail = (): string => registration().email;

async function invite(email: string, service: TestAuth = invited): Promise<{ id: string; token: string }> {
  const { invitation, token } = await service.auth.inviteUser({ email }, as(admin));
  return { id: invitation?.id ?? '', token };
}

const registerWith = (invitationToken: string, email: string, service: TestAuth = invited) =>
  service.auth.register(registration({ email, invitationToken }));

describe('A16: registration by invitation', () => {
  it('refuses whoever has none, and does not tell whether the e-mail has an account', async () => {
    expect(await kindAndReason(registerWith('', newEmail()))).toBe(closed);
    expect(await kindAndReason(registerWith('', admin.account.email))).toBe(closed);
    expect(await kindAndReason(registerWith('tfi_unknown', admin.account.email))).toBe(invalid);
  });

  it('admits exactly the e-mail, in any spelling, and once', async () => {
    const email = newEmail().replace('example', 'b\u00fccher.example');
    const { token } = await invite(email);
    expect(token).toMatch(/^tfi_[\w-]{43}$/);
    expect(await kindAndReason(registerWith(token, newEmail()))).toBe(invalid);
    const { account } = await registerWith(token, email.replace('b\u00fccher', 'XN--BCHER-KVA'));
    expect(account?.email).toBe(email.replace('b\u00fccher', 'xn--bcher-kva'));
    expect(await kindAndReason(registerWith(token, email))).toBe(invalid);
    expect(await kindAndReason(invite(email))).toBe('already_exists/EMAIL_TAKEN');
  });

  it('makes one account of 50 uses at the same time', async () => {
    const email = newEmail();
    const { token } = await invite(email);
    const uses = Array.from({ length: 50 }, () =>
      invited.auth.register(registration({ email, invitationToken: token }), { timeoutMs: 60_000 }),
    );
    const registered = (await Promise.allSettled(uses)).filter(({ status }) => status === 'fulfilled');
    expect(registered.length).toBeLessThanOrEqual(1);
    // A busy machine may have refused all of them for want of time.
    if (registered.length === 0) await registerWith(token, email);
    expect(await open.sql('select 1 from accounts where email = $1', [email])).toHaveLength(1);
    expect(await open.sql('select 1 from invitations where email = $1', [email])).toHaveLength(1);
  }, 120_000);

  it('ends with its time', async () => {
    const email = newEmail();
    const { token } = await invite(email);
    open.clock.advance(7 * dayMs);
    expect(await kindAndReason(registerWith(token, email))).toBe(invalid);
    admin = { ...admin, ...(await open.auth.login(admin.request)) } as typeof admin;
    const again = await invite(email);
    open.clock.advance(7 * dayMs - 60_000);
    await registerWith(again.token, email);
    admin = { ...admin, ...(await open.auth.login(admin.request)) } as typeof admin;
  });

  it('ends when the e-mail is invited again, or when it is revoked', async () => {
    const email = newEmail();
    const first = await invite(email);
    const second = await invite(email.toUpperCase());
    expect(await kindAndReason(registerWith(first.token, email))).toBe(invalid);
    const { invitation } = await invited.auth.revokeInvitation({ invitationId: second.id }, as(admin));
    expect(invitation).toMatchObject({ id: second.id, email, revokeTime: expect.any(Date) });
    expect(await kindAndReason(registerWith(second.token, email))).toBe(invalid);
    expect((await invited.auth.revokeInvitation({ invitationId: second.id }, as(admin))).invitation).toEqual(
      invitation,
    );
    await registerWith((await invite(email)).token, email);
  });

  it('makes one open invitation of 20 at the same time, and one of them admits', async () => {
    const email = newEmail();
    const made = await Promise.all(Array.from({ length: 20 }, () => invite(email)));
    expect(await open.sql('select 1 from invitations where mailbox = $1', [email])).toHaveLength(1);
    const uses = await Promise.allSettled(
      made.map(({ token }) => registerWith(token, email).catch((error: unknown) => Promise.reject(error as Error))),
    );
    expect(uses.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  });

  it('checks the invitation where registration is open, too', async () => {
    const email = newEmail();
    const { token } = await invite(email, open);
    expect(await kindAndReason(registerWith('tfi_unknown', email, open))).toBe(invalid);
    await registerWith(token, email, open);
  });

  it('where it is closed, admits who was invited before and invites nobody', async () => {
    const email = newEmail();
    const { token } = await invite(email);
    const shut = await startForTest({ replicaOf: open, config: { registration: 'closed' } });
    expect(await kindAndReason(invite(newEmail(), shut))).toBe(closed);
    expect(await kindAndReason(registerWith('', newEmail(), shut))).toBe(closed);
    await registerWith(token, email, shut);
  });

  it('leaves an invitation open when the registration fails', async () => {
    const email = newEmail();
    const { token } = await invite(email);
    await open.sql(`
      create function refuse_session() returns trigger language plpgsql as $$
      begin raise exception 'refused'; end $$;
      create trigger refuse_session before insert on sessions for each row execute function refuse_session();`);
    expect(await kindAndReason(registerWith(token, email))).toBe('internal/INTERNAL');
    await open.sql('drop trigger refuse_session on sessions; drop function refuse_session;');
    await registerWith(token, email);
  });
});

describe('InviteUser', () => {
  it('answers a repeat with the same token, which is nowhere in the database', async () => {
    const request = { email: newEmail(), requestId: randomBytes(8).toString('hex') };
    const first = await invited.auth.inviteUser(request, as(admin));
    expect(await open.auth.inviteUser(request, as(admin))).toEqual(first);
    expect(await kindAndReason(open.auth.inviteUser({ ...request, email: newEmail() }, as(admin)))).toBe(
      'invalid_argument/REQUEST_ID_REUSED',
    );
    const rows = await open.sql<{ found: boolean }>(
      `select exists (select from invitations i where i::text like '%' || $1 || '%') or exists (
         select from idempotency_records r where position(convert_to($1, 'UTF8') in r.response) > 0) as found`,
      [first.token],
    );
    expect(rows).toEqual([{ found: false }]);
    expect(invited.logLines.join('')).not.toContain(first.token);
    await registerWith(first.token, request.email);
    expect(await open.auth.inviteUser(request, as(admin))).toEqual(first);
  });

  it('answers a repeat as it answered first, although the invitation has ended, and the list is right', async () => {
    const request = { email: newEmail(), requestId: randomBytes(8).toString('hex') };
    const first = await invited.auth.inviteUser(request, as(admin));
    const invitationId = first.invitation?.id ?? '';
    const { invitation: revoked } = await invited.auth.revokeInvitation({ invitationId }, as(admin));
    expect(await invited.auth.inviteUser(request, as(admin))).toEqual(first);
    expect(await kindAndReason(registerWith(first.token, request.email))).toBe(invalid);
    const { invitations } = await invited.auth.listInvitations({}, as(admin));
    expect(invitations.find(({ id }) => id === invitationId)).toEqual(revoked);
  });

  it('only checks when it is told so', async () => {
    const email = newEmail();
    const { token } = await invited.auth.inviteUser({ email, validateOnly: true }, as(admin));
    expect(await kindAndReason(registerWith(token, email))).toBe(invalid);
    expect(await open.sql('select 1 from invitations where email = $1', [email])).toEqual([]);
  });

  it('names what is wrong', async () => {
    expect(await invalidFields(invited.auth.inviteUser({ email: 'nobody', requestId: '/' }, as(admin)))).toEqual([
      'email',
      'request_id',
    ]);
    expect(await invalidFields(registerWith('x'.repeat(513), newEmail()))).toEqual(['invitation_token']);
  });
});

describe('ListInvitations', () => {
  it('shows all of them in pages, newest first, without a token', async () => {
    const made = [];
    for (let index = 0; index < 5; index += 1) made.push((await invite(newEmail())).id);
    const pages = await readPages((pageToken) => invited.auth.listInvitations({ pageSize: 2, pageToken }, as(admin)));
    const listed = pages.flatMap(({ invitations }) => invitations);
    expect(listed.slice(0, 5).map(({ id }) => id)).toEqual(made.toReversed());
    expect(listed[0]).toEqual({
      id: expect.any(String),
      email: expect.any(String),
      inviterId: admin.account.id,
      createTime: expect.any(Date),
      expireTime: expect.any(Date),
    });
    expect(new Set(listed.map(({ id }) => id)).size).toBe(listed.length);
  });
});

describe('RevokeInvitation', () => {
  it('refuses an unknown invitation and one that was accepted', async () => {
    const email = newEmail();
    const { id, token } = await invite(email);
    await registerWith(token, email);
    const revoke = (invitationId: string) => invited.auth.revokeInvitation({ invitationId }, as(admin));
    expect(await kindAndReason(revoke(id))).toBe('failed_precondition/INVITATION_ACCEPTED');
    expect(await kindAndReason(revoke('00000000-0000-4000-8000-000000000000'))).toBe('not_found/INVITATION_NOT_FOUND');
    expect(await invalidFields(revoke('x'))).toEqual(['invitation_id']);
  });

  it('is for administrators only, as are the others', async () => {
    const { tokens } = await registerAccount(open);
    const required = 'permission_denied/ADMIN_REQUIRED';
    expect(await kindAndReason(invited.auth.inviteUser({ email: newEmail() }, as({ tokens })))).toBe(required);
    expect(await kindAndReason(invited.auth.listInvitations({}, as({ tokens })))).toBe(required);
    expect(await kindAndReason(invited.auth.revokeInvitation({}, as({ tokens })))).toBe(required);
  });
});
