import { randomUUID } from 'node:crypto';
import { afterAll, describe, expect, it } from '@jest/globals';
import { createTaskFlow } from '#client/node';
import { Role, type DeleteAccountRequest } from '#contract/auth/v1/auth';
import { startTcpProxy, waitUntil } from '#dev/cluster';
import { invalidFields, kindAndReason } from '#dev/testing';
import { as, refresh, registerAccount, registerAdmin, registration, type SignedIn } from './factories.ts';
import { listMails, readMail, startWithMail } from './mailbox.ts';
import { startForTest, useAfterTest } from './start-auth.ts';

useAfterTest();

const service = await startWithMail();
afterAll(service.stop);
const replica = await startWithMail({ replicaOf: service });
afterAll(replica.stop);
const { auth } = service;
const admin = await registerAdmin(service);

const day = 24 * 3_600_000;
interface Own {
  accountId: string;
  sessionId: string;
  call: { token: string };
}

const tokenInvalidText = 'unauthenticated/TOKEN_INVALID';
const credentialsInvalid = 'unauthenticated/CREDENTIALS_INVALID';

const deleteOwn = ({ request, tokens }: SignedIn, fields: Partial<DeleteAccountRequest> = {}) =>
  auth.deleteAccount({ currentPassword: request.password, ...fields }, as({ tokens }));
const deleteOther = (accountId: string, fields: Partial<DeleteAccountRequest> = {}) =>
  auth.deleteAccount({ accountId, ...fields }, as(admin));
const actionsOf = async (accountId: string): Promise<string[]> => {
  const { events } = await service.audit.listAuditEvents({ accountId }, as(admin));
  return events.map(({ action, reason }) => `${action}${reason === '' ? '' : ` ${reason}`}`);
};

describe('DeleteAccount of the own account', () => {
  it('ends every session, lets nobody sign in, and says until when it can be undone', async () => {
    const person = await registerAccount(service);
    const { account } = await deleteOwn(person);
    expect(account).toMatchObject({ id: person.account.id, enabled: false });
    const { deleteTime, purgeTime } = account ?? {};
    expect(Number(purgeTime) - Number(deleteTime)).toBe(30 * day);
    expect(await kindAndReason(refresh(service, person))).toBe('unauthenticated/REFRESH_TOKEN_INVALID');
    expect(await kindAndReason(auth.login(person.request))).toBe('failed_precondition/ACCOUNT_DELETED');
    await expect(auth.login(person.request)).rejects.toMatchObject({
      details: { metadata: { purgeTime: purgeTime?.toISOString() } },
    });
  });

  it('tells nothing to whoever does not know the password', async () => {
    const person = await registerAccount(service);
    await deleteOwn(person);
    const wrong = { ...person.request, password: 'a wrong password' };
    expect(await kindAndReason(auth.login(wrong))).toBe(credentialsInvalid);
    expect(await kindAndReason(auth.reclaimAccount(wrong))).toBe(credentialsInvalid);
    expect(await kindAndReason(auth.register(person.request))).toBe('already_exists/EMAIL_TAKEN');
    await auth.requestPasswordReset({ email: person.request.email });
    expect(await listMails(service, person.request.email, 'password_reset')).toEqual([]);
  });

  it('needs the right password, and names everything that is wrong', async () => {
    const person = await registerAccount(service);
    expect(await invalidFields(deleteOwn(person, { currentPassword: '' }))).toEqual(['current_password']);
    expect(await kindAndReason(deleteOwn(person, { currentPassword: 'a wrong password' }))).toBe(
      'permission_denied/PASSWORD_WRONG',
    );
    const wrong = { accountId: 'me', successorId: 'you', requestId: '/', etag: 'x'.repeat(65) };
    expect((await invalidFields(deleteOwn(person, wrong))).toSorted()).toEqual([
      'account_id',
      'etag',
      'request_id',
      'successor_id',
    ]);
    expect(await kindAndReason(deleteOwn(person, { etag: '"old"' }))).toBe('aborted/ETAG_MISMATCH');
    await deleteOwn(person, { validateOnly: true });
    await auth.login(person.request);
  });

  it('is told by mail, once, as long as the account is not back', async () => {
    const person = await registerAccount(service);
    const { account } = await deleteOwn(person);
    const [mailId = '', ...more] = await listMails(service, person.request.email, 'account_deleted');
    expect(more).toEqual([]);
    expect(await readMail(service, mailId)).toMatchObject({ token: '', purgeTime: account?.purgeTime });
    await auth.reclaimAccount(person.request);
    expect(await kindAndReason(readMail(service, mailId))).toBe('not_found/MAIL_NOT_FOUND');
  });

  it('is undone by ReclaimAccount: the account is as it was, and has no session', async () => {
    const person = await registerAccount(service);
    await deleteOwn(person);
    const { account, ...rest } = await auth.reclaimAccount(person.request);
    expect(rest).toEqual({});
    expect(account).toMatchObject({ enabled: true, email: person.account.email });
    expect(account?.purgeTime).toBeUndefined();
    expect(await kindAndReason(refresh(service, person))).toBe('unauthenticated/REFRESH_TOKEN_INVALID');
    const back = await auth.login(person.request);
    expect(back.account?.etag).toBe(account?.etag);
    expect((await auth.reclaimAccount(person.request)).account?.etag).toBe(account?.etag);
    expect(await actionsOf(person.account.id)).toEqual(
      expect.arrayContaining(['deletion_requested', 'deletion_undone']),
    );
  });

  it('has one effect of 50 requests at once, and so has undoing it', async () => {
    const person = await registerAccount(service);
    const call = { ...as(person), timeoutMs: 60_000 };
    const request = { currentPassword: person.request.password };
    const servers = [auth, replica.auth];
    const at = (index: number) => servers[index % 2] ?? auth;
    const deletions = Array.from({ length: 50 }, (_, index) => at(index).deleteAccount(request, call));
    const outcomes = await Promise.allSettled(deletions);
    // Nobody is told that the right password is wrong.
    const reasons = outcomes.map((outcome) => (outcome.status === 'rejected' ? outcome.reason.reason : 'OK'));
    expect(reasons).not.toContain('PASSWORD_WRONG');
    expect(await listMails(service, person.request.email, 'account_deleted')).toHaveLength(1);
    const undoings = Array.from({ length: 20 }, (_, index) =>
      at(index).reclaimAccount(person.request, { timeoutMs: 60_000 }),
    );
    await Promise.allSettled(undoings);
    const actions = await actionsOf(person.account.id);
    expect(actions.filter((action) => action === 'deletion_requested')).toHaveLength(1);
    expect(actions.filter((action) => action === 'deletion_undone')).toHaveLength(1);
  });
});

describe('a call that ends its own token', () => {
  const ended = (token: string): Promise<unknown> =>
    waitUntil(
      () => auth.listSessions({}, { token }).then(String, ({ reason }) => reason),
      (answer) => answer === 'TOKEN_INVALID',
    );

  it('is answered by the client package also when the connection breaks before the answer', async () => {
    const { account, request } = await registerAccount(service);
    const proxy = await startTcpProxy(`127.0.0.1:${service.app.grpcPort}`);
    const addresses = { auth: `http://${proxy.address}` };
    const taskflow = createTaskFlow({ addresses, credentials: { account: request } });
    await taskflow.auth.listSessions({});
    proxy.mute();
    const deletion = taskflow.auth.deleteAccount({ currentPassword: request.password });
    await waitUntil(
      () => service.sql('select 1 from accounts where id = $1 and delete_time is not null', [account.id]),
      (rows) => rows.length === 1,
    );
    await proxy.cut();
    await proxy.restore();
    expect((await deletion).account).toMatchObject({ id: account.id, enabled: false });
    const actions = await actionsOf(account.id);
    expect(actions.filter((action) => action === 'deletion_requested')).toHaveLength(1);
    taskflow.close();
    await proxy.close();
  });

  it('gives its answer to its repeat alone: DeleteAccount', async () => {
    const person = await registerAccount(service);
    const requestId = randomUUID();
    const answer = await deleteOwn(person, { requestId });
    await ended(person.tokens.accessToken);
    expect(await deleteOwn(person, { requestId })).toEqual(answer);
    const others: Partial<DeleteAccountRequest>[] = [
      {},
      { requestId: randomUUID() },
      { requestId, currentPassword: 'a wrong password' },
      { requestId, successorId: admin.account.id },
    ];
    for (const other of others) expect(await kindAndReason(deleteOwn(person, other))).toBe(tokenInvalidText);
    await auth.reclaimAccount(person.request);
    expect(await deleteOwn(person, { requestId })).toEqual(answer);
    await auth.login(person.request);
  });

  it.each([
    ['RevokeSession', ({ sessionId, call }) => auth.revokeSession({ sessionId, requestId: 'own' }, call)],
    ['SetRole', ({ accountId, call }) => auth.setRole({ accountId, role: Role.USER, requestId: 'own' }, call)],
    ['DisableAccount', ({ accountId, call }) => auth.disableAccount({ accountId, requestId: 'own' }, call)],
  ] satisfies [string, (own: Own) => Promise<unknown>][])(
    'gives its answer to its repeat alone: %s',
    async (_, end) => {
      const person = await registerAdmin(service);
      const call = as(person);
      const { sessions } = await auth.listSessions({}, call);
      const sessionId = sessions.find(({ current }) => current)?.id ?? '';
      const own = { accountId: person.account.id, sessionId, call };
      const answer = await end(own);
      await ended(call.token);
      expect(await end(own)).toEqual(answer);
      const other = { ...own, accountId: admin.account.id, sessionId: randomUUID() };
      expect(await kindAndReason(end(other))).toBe(tokenInvalidText);
    },
  );
});

describe('DeleteAccount by an administrator', () => {
  it('needs no password; only administrators undo it, and the person is answered as with a wrong password', async () => {
    const person = await registerAccount(service);
    const { account } = await deleteOther(person.account.id);
    expect(await deleteOther(person.account.id)).toEqual({ account });
    expect(await kindAndReason(auth.login(person.request))).toBe(credentialsInvalid);
    expect(await kindAndReason(auth.reclaimAccount(person.request))).toBe(credentialsInvalid);
    const { account: back } = await auth.undeleteAccount({ accountId: person.account.id }, as(admin));
    expect(back).toMatchObject({ enabled: true });
    await auth.login(person.request);
  });

  it('is for administrators, of accounts that exist', async () => {
    const [person, other] = [await registerAccount(service), await registerAccount(service)];
    expect(await kindAndReason(deleteOwn(person, { accountId: other.account.id }))).toBe(
      'permission_denied/ADMIN_REQUIRED',
    );
    expect(await kindAndReason(deleteOther(randomUUID()))).toBe('not_found/USER_NOT_FOUND');
  });

  it('leaves a disabled account disabled when it is undone, and one disabled meanwhile', async () => {
    for (const isBefore of [true, false]) {
      const { account, request } = await registerAccount(service);
      const disable = () => auth.disableAccount({ accountId: account.id }, as(admin));
      if (isBefore) await disable();
      await deleteOther(account.id);
      if (!isBefore) await disable();
      const { account: back } = await auth.undeleteAccount({ accountId: account.id }, as(admin));
      expect(back?.enabled).toBe(false);
      await auth.enableAccount({ accountId: account.id }, as(admin));
      await auth.login(request);
    }
  });

  it('of an account that its person has deleted keeps the time, and lets the person not take it back', async () => {
    const [person, heir] = [await registerAccount(service), await registerAccount(service)];
    const { account: own } = await deleteOwn(person, { successorId: admin.account.id });
    const { account } = await deleteOther(person.account.id, { successorId: heir.account.id });
    expect(account).toMatchObject({ deleteTime: own?.deleteTime, purgeTime: own?.purgeTime });
    expect(await kindAndReason(auth.reclaimAccount(person.request))).toBe(credentialsInvalid);
    const heirOf = 'select successor_id as id from accounts where id = $1';
    expect(await service.sql(heirOf, [person.account.id])).toEqual([{ id: heir.account.id }]);
    await deleteOther(person.account.id);
    expect(await service.sql(heirOf, [person.account.id])).toEqual([{ id: heir.account.id }]);
    expect(await listMails(service, person.request.email, 'account_deleted')).toHaveLength(1);
  });

  it('is not needed for an account that was disabled meanwhile: its person cannot take it back', async () => {
    const person = await registerAccount(service);
    await deleteOwn(person);
    await auth.disableAccount({ accountId: person.account.id }, as(admin));
    expect(await kindAndReason(auth.login(person.request))).toBe(credentialsInvalid);
    expect(await kindAndReason(auth.reclaimAccount(person.request))).toBe(credentialsInvalid);
  });

  it('is not undone by enabling', async () => {
    const { account } = await registerAccount(service);
    await deleteOther(account.id);
    expect(await kindAndReason(auth.enableAccount({ accountId: account.id }, as(admin)))).toBe(
      'failed_precondition/ACCOUNT_DELETED',
    );
    expect(await kindAndReason(auth.createPasswordReset({ accountId: account.id }, as(admin)))).toBe(
      'failed_precondition/ACCOUNT_DISABLED',
    );
  });

  it('deletes service accounts, whose tokens rest meanwhile', async () => {
    const { account } = await auth.createServiceAccount({ displayName: 'Backup' }, as(admin));
    const deleted = await deleteOther(account?.id ?? '');
    expect(deleted.account).toMatchObject({ serviceAccount: true, enabled: false });
  });

  it('names only a successor who can take the tasks', async () => {
    const [person, other] = [await registerAccount(service), await registerAccount(service)];
    await auth.disableAccount({ accountId: other.account.id }, as(admin));
    for (const successorId of [person.account.id, other.account.id, randomUUID()])
      expect(await kindAndReason(deleteOther(person.account.id, { successorId }))).toBe(
        'failed_precondition/SUCCESSOR_NOT_FOUND',
      );
    await deleteOther(person.account.id, { successorId: admin.account.id });
  });

  it('is in the audit log with the successor', async () => {
    const { account } = await registerAccount(service);
    await deleteOther(account.id, { successorId: admin.account.id });
    const { events } = await service.audit.listAuditEvents({ accountId: account.id }, as(admin));
    const requested = events.find(({ action }) => action === 'deletion_requested');
    expect(requested?.details).toContainEqual({ name: 'successor', value: admin.account.id });
  });

  it('looks nobody up by e-mail while users is down, and changes nothing', async () => {
    const { account, request } = await registerAccount(service);
    const named = { successorEmail: admin.account.email, requestId: randomUUID() };
    expect(await kindAndReason(deleteOther(account.id, named))).toBe('unavailable/DEPENDENCY_UNAVAILABLE');
    await auth.login(request);
    const both = { ...named, successorId: admin.account.id };
    expect(await invalidFields(deleteOther(account.id, both))).toEqual(['successor_id', 'successor_email']);
  });

  it('answers a repeat under one request id with the first answer', async () => {
    const { account } = await registerAccount(service);
    const request = { requestId: randomUUID() };
    const first = await deleteOther(account.id, request);
    await auth.undeleteAccount({ accountId: account.id }, as(admin));
    expect(await deleteOther(account.id, request)).toEqual(first);
    expect(await kindAndReason(deleteOther(account.id, { ...request, successorId: admin.account.id }))).toBe(
      'invalid_argument/REQUEST_ID_REUSED',
    );
  });
});

describe('the last administrator', () => {
  it('and the configured one cannot be deleted', async () => {
    const administrator = { email: registration().email, password: 'correct horse battery' };
    const alone = await startForTest({ config: { administrator } });
    const signedIn = await alone.auth.login(administrator);
    const own = () => alone.auth.deleteAccount({ currentPassword: administrator.password }, as(signedIn));
    expect(await kindAndReason(own())).toBe('failed_precondition/LAST_ADMIN');
    await registerAdmin(alone);
    expect(await kindAndReason(own())).toBe('failed_precondition/CONFIGURED_ADMIN');
  });
});
