import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  AuditActorKind,
  AuditOutcome,
  AuditTargetKind,
  type AuditEvent,
  type ListAuditEventsRequest,
} from '#contract/audit/v1/audit';
import { Role } from '#contract/auth/v1/auth';
import { kindAndReason } from '#dev/testing';
import { as, refresh, registerAccount, registerAdmin, registration, type SignedIn } from './factories.ts';
import { startAuth } from './start-auth.ts';

const service = await startAuth({
  config: { passwordAttempts: { free: 100, firstWaitMs: 1000, longestWaitMs: 1000 } },
});
afterAll(service.stop);
let admin: SignedIn;
beforeAll(async () => {
  admin = await registerAdmin(service);
});

/** Oldest first. */
const list = async (request: Partial<ListAuditEventsRequest>): Promise<AuditEvent[]> =>
  (await service.audit.listAuditEvents(request, as(admin))).events.reverse();
const actionsOf = async (request: Partial<ListAuditEventsRequest>): Promise<string[]> =>
  (await list(request)).map(({ action, outcome }) => `${action}${outcome === AuditOutcome.REFUSED ? ' refused' : ''}`);

describe('H6: the audit log of auth', () => {
  it('holds what a person did to the own account, and that person reads it', async () => {
    const person = await registerAccount(service);
    const accountId = person.account.id;
    const { email, password } = person.request;
    const second = await service.auth.login({ email, password });
    await expect(service.auth.login({ email, password: 'a wrong one' })).rejects.toThrow();
    const change = { currentPassword: 'a wrong one', newPassword: 'another good password' };
    await expect(service.auth.changePassword(change, as(person))).rejects.toThrow();
    await service.auth.changePassword({ ...change, currentPassword: password, validateOnly: true }, as(person));
    await service.auth.changePassword({ ...change, currentPassword: password }, as(person));
    await service.auth.logout({ refreshToken: person.tokens.refreshToken });
    await service.auth.logout({ refreshToken: person.tokens.refreshToken });
    expect(await actionsOf({ accountId })).toEqual([
      'registered',
      'signed_in',
      'signed_in',
      'signed_in refused',
      'password_checked refused',
      'password_changed',
      'signed_out',
    ]);
    const third = await service.auth.login({ email, password: change.newPassword });
    const own = await service.audit.listOwnAuditEvents({}, as(third));
    expect(own.events.map(({ action }) => action)).toEqual(
      (await list({ accountId })).map(({ action }) => action).reverse(),
    );
    expect(second.account?.id).toBe(accountId);
  });

  it('leads from an invitation to the account that came of it, and back', async () => {
    const request = registration();
    const { invitation, token } = await service.auth.inviteUser({ email: request.email }, as(admin));
    const { account } = await registerAccount(service, { ...request, invitationToken: token });
    const ofInvitation = await list({ targetId: invitation?.id ?? '' });
    expect(ofInvitation.map(({ action, accountId }) => [action, accountId])).toEqual([
      ['user_invited', ''],
      ['invitation_accepted', account.id],
    ]);
    const [registered] = await list({ accountId: account.id, action: 'registered' });
    expect(registered?.details).toEqual([{ name: 'invitation', value: invitation?.id }]);
  });

  it('holds what administrators did, and to whom', async () => {
    const { account } = await registerAccount(service);
    const accountId = account.id;
    await service.auth.setRole({ accountId, role: Role.ADMIN, validateOnly: true }, as(admin));
    await service.auth.setRole({ accountId, role: Role.ADMIN, requestId: 'once' }, as(admin));
    await service.auth.setRole({ accountId, role: Role.ADMIN, requestId: 'once' }, as(admin));
    await service.auth.disableAccount({ accountId }, as(admin));
    await service.auth.disableAccount({ accountId }, as(admin));
    await service.auth.enableAccount({ accountId }, as(admin));
    const events = await list({ accountId, actorId: admin.account.id });
    expect(events.map(({ action }) => action)).toEqual(['role_changed', 'account_disabled', 'account_enabled']);
    expect(events[0]).toMatchObject({
      actorKind: AuditActorKind.USER,
      targetKind: AuditTargetKind.ACCOUNT,
      targetId: accountId,
      address: '127.0.0.1',
      details: [
        { name: 'enabled', value: 'true' },
        { name: 'role', value: 'admin' },
      ],
    });
  });

  it('holds that a replaced refresh token was used again', async () => {
    const person = await registerAccount(service);
    const { tokens } = await refresh(service, person);
    await refresh(service, { tokens });
    service.clock.advance(11_000);
    expect(await kindAndReason(refresh(service, person))).toBe('unauthenticated/TOKEN_REUSED');
    expect(await actionsOf({ action: 'token_reused', accountId: person.account.id })).toEqual(['token_reused refused']);
  });

  it('holds one event for each failed sign-in, also of an e-mail that nobody has, and never the e-mail', async () => {
    const before = (await list({ action: 'signed_in', outcome: AuditOutcome.REFUSED })).length;
    const { email } = registration();
    await expect(service.auth.login({ email, password: 'whatever it is' })).rejects.toThrow();
    const events = await list({ action: 'signed_in', outcome: AuditOutcome.REFUSED });
    expect(events).toHaveLength(before + 1);
    expect(events.at(-1)).toMatchObject({ reason: 'CREDENTIALS_INVALID', accountId: '', address: '127.0.0.1' });
    const rows = await service.sql<{ row: string }>('select chain::text as row from audit.chain');
    expect(rows.filter(({ row }) => row.includes('@'))).toEqual([]);
  });
});
