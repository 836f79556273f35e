import { randomUUID } from 'node:crypto';
import { afterAll, describe, expect, it } from '@jest/globals';
import { Role } from '#contract/auth/v1/auth';
import { Scope } from '#contract/policy/v1/policy';
import type { CallError } from '#dev/stubs';
import { as, refresh, registerAccount, registerAdmin, registration, type SignedIn } from './factories.ts';
import { startAuth } from './start-auth.ts';

const service = await startAuth();
afterAll(service.stop);
const admin = await registerAdmin(service);

const newPassword = 'another horse battery';
const other = { reason: 'REQUEST_ID_REUSED', details: { violations: [{ field: 'request_id' }] } };
const stale = {
  kind: 'aborted',
  reason: 'ETAG_MISMATCH',
  details: { metadata: { id: expect.stringMatching(/^[0-9a-f-]{36}$/) } },
};

/** All rows that a change of an account can leave behind. */
async function stateOf({ account }: SignedIn): Promise<object> {
  const [state] = await service.sql<object>(
    `select a, (select jsonb_agg(s order by id) from sessions s where account_id = a.id) as sessions,
       (select count(*)::int from outbox where payload->>'accountId' = a.id::text) as messages,
       (select jsonb_agg(t order by id) from personal_tokens t where account_id = a.id) as tokens,
       (select count(*)::int from revocations) as revocations,
       (select count(*)::int from signing_keys) as keys,
       (select count(*)::int from idempotency_records) as requests
     from accounts a where id = $1`,
    [account.id],
  );
  return state ?? {};
}

interface Common {
  requestId?: string;
  validateOnly?: boolean;
  etag?: string;
}

interface Change {
  /** The change, made by the owner of the account or by an administrator. */
  call: (user: SignedIn, common: Common) => Promise<object>;
  /** Another content, which must not pass for the same request. */
  different?: (user: SignedIn, common: Common) => Promise<object>;
  hasEtag: boolean;
}

/** Keeps what the first call asked for, so that a repeat asks for the same. */
function remember(make: (user: SignedIn) => string | Promise<string>): (user: SignedIn) => Promise<string> {
  const made = new Map<string, string>();
  return async (user) => {
    const value = made.get(user.account.id) ?? (await make(user));
    made.set(user.account.id, value);
    return value;
  };
}
const emailFor = remember(() => registration().email);
const otherSessionOf = remember(async (user) => {
  const { sessions } = await service.auth.listSessions({}, as(user));
  return sessions.find(({ current }) => !current)?.id ?? '';
});

/**
 * A change of an account by an administrator, whose fields are `fields` in a repeat and `others` in another request.
 */
function byAdmin(
  method: 'setRole' | 'disableAccount' | 'enableAccount',
  fields: (user: SignedIn) => { accountId: string },
  others: (user: SignedIn) => { accountId: string },
): Change {
  return {
    call: (user, common) => service.auth[method]({ ...fields(user), ...common }, as(admin)),
    different: (user, common) => service.auth[method]({ ...others(user), ...common }, as(admin)),
    hasEtag: true,
  };
}
const theirs = ({ account }: SignedIn) => ({ accountId: account.id });
const adminsOwn = () => ({ accountId: admin.account.id });

const changePassword = (user: SignedIn, password: string, common: Common) =>
  service.auth.changePassword({ currentPassword: user.request.password, newPassword: password, ...common }, as(user));
const changeEmail = (user: SignedIn, newEmail: string, common: Common) =>
  service.auth.changeEmail({ currentPassword: user.request.password, newEmail, ...common }, as(user));
const revokeSession = (user: SignedIn, sessionId: string, common: Common) =>
  service.auth.revokeSession({ sessionId, ...common }, as(user));

const newToken = { name: 'a', scopes: [Scope.TASKS_READ], ttl: { seconds: 3600n, nanos: 0 } };
const tokenOf = remember(
  async (user) => (await service.auth.createPersonalToken(newToken, as(user))).personalToken?.id ?? '',
);
const revokeToken = (personalTokenId: string, common: Common) => (user: SignedIn) =>
  service.auth.revokePersonalToken({ personalTokenId, ...common }, as(user));

const changes: Record<string, Change> = {
  ChangePassword: {
    call: (user, common) => changePassword(user, newPassword, common),
    different: (user, common) => changePassword(user, 'a third horse battery', common),
    hasEtag: true,
  },
  ChangeEmail: {
    call: async (user, common) => changeEmail(user, await emailFor(user), common),
    different: (user, common) => changeEmail(user, registration().email, common),
    hasEtag: true,
  },
  RevokeSession: {
    call: async (user, common) => revokeSession(user, await otherSessionOf(user), common),
    different: (user, common) => revokeSession(user, randomUUID(), common),
    hasEtag: true,
  },
  RevokeOtherSessions: { call: (user, common) => service.auth.revokeOtherSessions(common, as(user)), hasEtag: false },
  CreatePersonalToken: {
    call: (user, common) => service.auth.createPersonalToken({ ...newToken, ...common }, as(user)),
    different: (user, common) => service.auth.createPersonalToken({ ...newToken, name: 'b', ...common }, as(user)),
    hasEtag: false,
  },
  RevokePersonalToken: {
    call: async (user, common) => revokeToken(await tokenOf(user), common)(user),
    different: (user, common) => revokeToken(randomUUID(), common)(user),
    hasEtag: false,
  },
  SetRole: byAdmin(
    'setRole',
    (user) => ({ ...theirs(user), role: Role.ADMIN }),
    (user) => ({ ...theirs(user), role: Role.USER }),
  ),
  DisableAccount: byAdmin('disableAccount', theirs, adminsOwn),
  EnableAccount: byAdmin('enableAccount', theirs, adminsOwn),
  RotateSigningKey: { call: (_, common) => service.auth.rotateSigningKey(common, as(admin)), hasEtag: false },
};

/** With a second session; disabled where it is to be enabled. */
async function prepareUser(method: string): Promise<SignedIn> {
  const user = await registerAccount(service);
  await service.auth.login(user.request);
  if (method === 'EnableAccount') await service.auth.disableAccount({ accountId: user.account.id }, as(admin));
  return user;
}

describe.each(Object.entries(changes))('%s', (method, { call, different, hasEtag }) => {
  it('has one effect and one answer for all calls with one request id', async () => {
    const user = await prepareUser(method);
    const requestId = randomUUID();
    const first = await call(user, { requestId });
    const state = await stateOf(user);
    expect(await call(user, { requestId })).toEqual(first);
    expect(await stateOf(user)).toEqual(state);
    if (different !== undefined) await expect(different(user, { requestId })).rejects.toMatchObject(other);
  });

  it('with validate_only answers alike and changes nothing', async () => {
    const user = await prepareUser(method);
    if (method === 'RevokePersonalToken') await tokenOf(user);
    const before = await stateOf(user);
    const dryRun = await call(user, { requestId: 'not-kept', validateOnly: true });
    expect(await stateOf(user)).toEqual(before);
    const real = await call(user, { requestId: randomUUID() });
    // A dry run keeps no key and no token, and times go on.
    if (!['RotateSigningKey', 'CreatePersonalToken', 'RevokePersonalToken'].includes(method))
      expect(dryRun).toEqual(real);
    expect(await stateOf(user)).not.toEqual(before);
  });

  if (hasEtag)
    it('refuses a stale etag, with validate_only or without', async () => {
      const user = await prepareUser(method);
      const before = await stateOf(user);
      for (const validateOnly of [false, true])
        await expect(call(user, { etag: '"stale"', validateOnly })).rejects.toMatchObject(stale);
      expect(await stateOf(user)).toEqual(before);
    });
});

describe('an etag', () => {
  it('of the account changes with every change, and lets one of two administrators through', async () => {
    const user = await registerAccount(service);
    const { etag, id: accountId } = user.account;
    const results = await Promise.allSettled([
      service.auth.setRole({ accountId, role: Role.ADMIN, etag }, as(admin)),
      service.auth.disableAccount({ accountId, etag }, as(admin)),
    ]);
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    const owned = await registerAccount(service);
    const { account } = await service.auth.changePassword(
      { currentPassword: owned.request.password, newPassword, etag: owned.account.etag },
      as(owned),
    );
    expect(account).toEqual({ ...owned.account, etag: expect.not.stringContaining(owned.account.etag) });
  });

  it('of a session changes with its use', async () => {
    const user = await registerAccount(service);
    const { tokens } = await service.auth.login(user.request);
    const listed = (await service.auth.listSessions({}, as(user))).sessions.find(({ current }) => !current);
    const { id: sessionId = '', etag = '' } = listed ?? {};
    service.clock.advance(1000);
    await refresh(service, { tokens });
    await expect(service.auth.revokeSession({ sessionId, etag }, as(user))).rejects.toMatchObject({
      reason: 'ETAG_MISMATCH',
      details: { metadata: { id: sessionId } },
    });
  });
});

describe('a request id of ChangePassword', () => {
  it('compares the passwords of a repeat by a keyed fingerprint', async () => {
    const user = await registerAccount(service);
    const requestId = randomUUID();
    const attempts = await Promise.allSettled(
      Array.from({ length: 5 }, () =>
        service.auth.changePassword(
          { currentPassword: user.request.password, newPassword, requestId },
          { ...as(user), timeoutMs: 60_000 },
        ),
      ),
    );
    const answers = attempts.filter((attempt) => attempt.status === 'fulfilled').map(({ value }) => value);
    expect(answers.length).toBeGreaterThan(0);
    expect(answers).toEqual(answers.map(() => answers[0]));
    const refused = attempts
      .filter((attempt) => attempt.status === 'rejected')
      .map(({ reason }) => reason as CallError);
    for (const { reason } of refused) expect(['REQUEST_IN_PROGRESS', 'OVERLOADED']).toContain(reason);
    const wrong = service.auth.changePassword({ currentPassword: 'guess', newPassword, requestId }, as(user));
    await expect(wrong).rejects.toMatchObject(other);
  });
});
