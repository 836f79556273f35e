import { randomUUID } from 'node:crypto';
import { afterAll, describe, expect, it } from '@jest/globals';
import { JoinState } from '#contract/auth/v1/auth';
import { invalidFields, kindAndReason } from '#dev/testing';
import { as, registerAccount, registration } from './factories.ts';
import { listMails, mailInvitation, readMail, recovery, startWithMail, tokenFor } from './mailbox.ts';
import type { TestAuth } from './start-auth.ts';
import { useAfterTest } from './start-auth.ts';

useAfterTest();

/* Tasks is down here: see services/tasks/test/invitations.flow.test.ts for what becomes of those who accept. */
const service = await startWithMail({ config: { recovery: { ...recovery, mailsPerHour: 100 } } });
afterAll(service.stop);
const { auth } = service;

async function invited(email: string, on: TestAuth = service): Promise<{ invitationId: string; token: string }> {
  const invitationId = randomUUID();
  await mailInvitation(on, { invitationId, email });
  return { invitationId, token: await tokenFor(on, email, 'project_invitation') };
}

describe('B10 an acceptance while tasks is down', () => {
  it('counts, and is answered as under way by each repeat', async () => {
    const user = await registerAccount(service);
    const { invitationId, token } = await invited(user.request.email);
    const request = { token, requestId: randomUUID() };
    const first = await auth.acceptProjectInvitation(request, as(user));
    expect(first).toMatchObject({ invitationId, state: JoinState.JOINING });
    expect(await auth.acceptProjectInvitation(request, as(user))).toEqual(first);
    expect(await auth.acceptProjectInvitation({ token }, as(user))).toEqual(first);
    const joins = `select payload from outbox where kind = 'join-project' and payload ->> 'invitationId' = $1`;
    expect(await service.sql(joins, [invitationId])).toEqual([
      { payload: { invitationId, accountId: user.account.id } },
    ]);
    const { events } = await service.audit.listOwnAuditEvents({}, as(user));
    expect(events.filter(({ action }) => action === 'project_invitation_accepted')).toHaveLength(1);
    const other = await registerAccount(service);
    expect(await kindAndReason(auth.acceptProjectInvitation({ token }, as(other)))).toBe(
      'failed_precondition/PROJECT_INVITATION_USED',
    );
  });

  it('changes nothing when it is only checked', async () => {
    const user = await registerAccount(service);
    const { invitationId, token } = await invited(user.request.email);
    const { state } = await auth.acceptProjectInvitation({ token, validateOnly: true }, as(user));
    expect(state).toBe(JoinState.JOINING);
    const accepted = 'select 1 from project_invitees where id = $1 and accept_time is not null';
    expect(await service.sql(accepted, [invitationId])).toEqual([]);
    expect(await invalidFields(auth.acceptProjectInvitation({ requestId: 'a b' }, as(user)))).toEqual([
      'token',
      'request_id',
    ]);
  });

  it('is one of many at the same time', async () => {
    const user = await registerAccount(service);
    const { invitationId, token } = await invited(user.request.email);
    const calls = Array.from({ length: 20 }, () => auth.acceptProjectInvitation({ token }, as(user)));
    const answers = await Promise.all(calls);
    expect(new Set(answers.map((answer) => answer.invitationId))).toEqual(new Set([invitationId]));
    const joins = `select 1 from outbox where kind = 'join-project' and payload ->> 'invitationId' = $1`;
    expect(await service.sql(joins, [invitationId])).toHaveLength(1);
  });
});

describe('the token of an invitation to a project', () => {
  it('admits nobody to an installation that is not open, and still joins whoever has an account', async () => {
    const closed = await startWithMail({ replicaOf: service, config: { registration: 'invitation' } });
    try {
      const { token } = await invited(registration().email);
      const { email } = registration();
      const request = registration({ email, invitationToken: token });
      expect(await kindAndReason(closed.auth.register(request))).toBe('permission_denied/REGISTRATION_CLOSED');
      const user = await registerAccount(service);
      const { token: own } = await invited(user.request.email);
      expect((await closed.auth.acceptProjectInvitation({ token: own }, as(user))).state).toBe(JoinState.JOINING);
    } finally {
      await closed.stop();
    }
  });

  it('is no invitation to the installation, nor the other way round', async () => {
    const user = await registerAccount(service);
    const { email } = registration();
    const { token } = await invited(email);
    expect(token).toMatch(/^tfj_[\w-]{43}$/);
    const asOther = registration({ email, invitationToken: token.replace('tfj_', 'tfi_') });
    expect(await kindAndReason(auth.register(asOther))).toBe('failed_precondition/INVITATION_INVALID');
    expect(await kindAndReason(auth.acceptProjectInvitation({ token: 'tfi_x' }, as(user)))).toBe(
      'failed_precondition/PROJECT_INVITATION_INVALID',
    );
  });

  it('is made anew when it is sent again and the key that made it is gone', async () => {
    const { email } = registration();
    const { invitationId } = await invited(email);
    await service.sql(`update project_invitees set token_hash = 'of a key that is gone' where id = $1`, [invitationId]);
    const [lost = ''] = await listMails(service, email, 'project_invitation');
    expect(await kindAndReason(readMail(service, lost))).toBe('not_found/MAIL_NOT_FOUND');
    await mailInvitation(service, { invitationId, email: '' });
    const [, mailId = ''] = await listMails(service, email, 'project_invitation');
    const { token, projectInvitationId } = await readMail(service, mailId);
    expect([token.slice(0, 4), projectInvitationId]).toEqual(['tfj_', invitationId]);
  });
});

describe('an installation that sends no mail', () => {
  it('keeps whom tasks names, and mails nobody', async () => {
    const off = await startWithMail({ config: { recovery: { ...recovery, sendsMail: false } } });
    try {
      const { email } = registration();
      await mailInvitation(off, { invitationId: randomUUID(), email });
      expect(await off.sql('select 1 from mails where email = $1', [email])).toEqual([]);
    } finally {
      await off.stop();
    }
  });
});
