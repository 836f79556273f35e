import { randomBytes, randomUUID } from 'node:crypto';
import { afterAll, describe, expect, it } from '@jest/globals';
import { Role, type CreatePersonalTokenRequest } from '#contract/auth/v1/auth';
import { Scope } from '#contract/policy/v1/policy';
import { BreakersServiceService } from '#contract/resilience/v1/resilience';
import { waitUntil } from '#dev/cluster';
import { invalidFields, kindAndReason, readPages, refusal } from '#dev/testing';
import { openStub } from '#dev/stubs';
import { createPersonalTokens } from '../src/security/personal-tokens.ts';
import { as, registerAccount, registerAdmin, tokenInvalid, untilRefused, type SignedIn } from './factories.ts';
import { startAuth } from './start-auth.ts';

const service = await startAuth();
const { auth } = service;
const breakers = openStub(BreakersServiceService, `127.0.0.1:${service.app.grpcPort}`);
afterAll(async () => {
  breakers.close();
  await service.stop();
});

const hour = { seconds: 3600n, nanos: 0 };
const request: Partial<CreatePersonalTokenRequest> = { name: 'Backup', scopes: [Scope.ACCOUNT_READ], ttl: hour };

async function create(user: SignedIn, changes: Partial<CreatePersonalTokenRequest> = {}) {
  const { personalToken, token } = await auth.createPersonalToken({ ...request, ...changes }, as(user));
  if (personalToken === undefined) throw new Error('the answer is incomplete');
  return { personalToken, token };
}

/** What a token with the scope account:read may ask. */
const use = (token: string) => auth.listSessions({}, { token });

const signInAgain = async (user: SignedIn): Promise<SignedIn> =>
  ({ ...user, ...(await auth.login(user.request)) }) as SignedIn;

describe('CreatePersonalToken', () => {
  it('A13: gives a token that is shown once and acts for its account', async () => {
    const user = await registerAccount(service);
    const { personalToken, token } = await create(user, { scopes: [Scope.USERS_READ, Scope.ACCOUNT_READ] });
    expect(token).toMatch(/^tfp_[0-9A-Za-z]{49}$/);
    expect(personalToken).toEqual({
      id: expect.stringMatching(/^[0-9a-f-]{36}$/),
      accountId: user.account.id,
      name: 'Backup',
      scopes: [Scope.USERS_READ, Scope.ACCOUNT_READ],
      creatorId: user.account.id,
      createTime: expect.any(Date),
      expireTime: new Date((personalToken.createTime?.getTime() ?? 0) + 3_600_000),
    });
    expect((await use(token)).sessions.map(({ current }) => current)).toEqual([false]);
    const { personalTokens } = await auth.listPersonalTokens({}, as(user));
    expect(personalTokens).toMatchObject([{ id: personalToken.id, name: 'Backup' }]);
    expect(JSON.stringify(personalTokens)).not.toContain(token.slice(4));
  });

  it('keeps the token nowhere, not even for a repeat, which is answered with the same one', async () => {
    const user = await registerAccount(service);
    const repeated = { requestId: randomUUID() };
    const first = await create(user, repeated);
    expect(await create(user, repeated)).toEqual(first);
    await use(first.token);
    const [row] = await service.sql<{ found: boolean }>(
      `select exists (select from personal_tokens t where t::text like '%' || $1 || '%') or exists (
         select from idempotency_records r where position(convert_to($1, 'UTF8') in r.response) > 0) as found`,
      [first.token.slice(4)],
    );
    expect(row).toEqual({ found: false });
    expect(service.logLines.join('')).not.toContain(first.token.slice(4));
    expect(service.logLines.join('')).toContain(`"tokenId":"${first.personalToken.id}"`);
  });

  it('answers a repeat as it answered first, although the token has ended, and the list is right', async () => {
    const user = await registerAccount(service);
    const repeated = { requestId: randomUUID() };
    const first = await create(user, repeated);
    const { personalToken: revoked } = await auth.revokePersonalToken(
      { personalTokenId: first.personalToken.id },
      as(user),
    );
    expect(await create(user, repeated)).toEqual(first);
    expect((await untilRefused(() => use(first.token))).error).toMatchObject(tokenInvalid);
    expect((await auth.listPersonalTokens({}, as(user))).personalTokens).toEqual([revoked]);
  });

  it('makes one token of 50 calls at the same time with one request id', async () => {
    const user = await registerAccount(service);
    const repeated = { ...request, requestId: randomUUID() };
    const calls = Array.from({ length: 50 }, () =>
      auth.createPersonalToken(repeated, { ...as(user), timeoutMs: 60_000 }).catch(() => undefined),
    );
    const answers = (await Promise.all(calls)).filter((answer) => answer !== undefined);
    // A busy machine may have answered some with REQUEST_IN_PROGRESS.
    const last = await auth.createPersonalToken(repeated, as(user));
    expect(answers).toEqual(answers.map(() => last));
    expect((await auth.listPersonalTokens({}, as(user))).personalTokens).toHaveLength(1);
    await use(last.token);
  }, 120_000);

  it('stops at 50 that have not ended, however many come at once', async () => {
    const user = await registerAccount(service);
    const other = await registerAccount(service);
    await Promise.allSettled(
      Array.from({ length: 55 }, () => auth.createPersonalToken(request, { ...as(user), timeoutMs: 60_000 })),
    );
    // A busy machine may have refused some of them.
    const { error } = await untilRefused(() => create(user));
    expect(error).toMatchObject({
      kind: 'failed_precondition',
      reason: 'TOO_MANY_PERSONAL_TOKENS',
      details: { metadata: { maxPersonalTokenCount: '50' } },
    });
    expect((await auth.listPersonalTokens({ pageSize: 100 }, as(user))).personalTokens).toHaveLength(50);
    await create(other);
    const [{ id: personalTokenId } = { id: '' }] = (await auth.listPersonalTokens({}, as(user))).personalTokens;
    await auth.revokePersonalToken({ personalTokenId }, as(user));
    await create(user);
    expect(await kindAndReason(create(user))).toBe('failed_precondition/TOO_MANY_PERSONAL_TOKENS');
  }, 120_000);

  it('only checks when it is told so', async () => {
    const user = await registerAccount(service);
    const { token } = await create(user, { validateOnly: true });
    await expect(use(token)).rejects.toMatchObject(tokenInvalid);
    expect((await auth.listPersonalTokens({}, as(user))).personalTokens).toEqual([]);
  });

  it('names everything that is wrong at once', async () => {
    const user = await registerAccount(service);
    const all = ['name', 'scopes', 'ttl', 'request_id'];
    const wrong = { name: '', scopes: [], ttl: { seconds: 59n, nanos: 0 }, requestId: '/' };
    expect((await invalidFields(create(user, wrong))).toSorted()).toEqual(all.toSorted());
    const bad: Partial<CreatePersonalTokenRequest>[] = [
      { scopes: [Scope.SESSION_ONLY] },
      { scopes: [Scope.ANY] },
      { scopes: [Scope.UNSPECIFIED] },
    ];
    for (const changes of bad) expect(await invalidFields(create(user, changes))).toEqual(['scopes[0]']);
    const twice = { scopes: [Scope.TASKS_READ, Scope.TASKS_READ] };
    expect(await invalidFields(create(user, twice))).toEqual(['scopes']);
    for (const ttl of [undefined, { seconds: 366n * 86_400n, nanos: 1_000_000 }, { seconds: -1n, nanos: 0 }])
      expect(await invalidFields(auth.createPersonalToken({ ...request, ttl }, as(user)))).toEqual(['ttl']);
    await create(user, { ttl: { seconds: 366n * 86_400n, nanos: 0 }, name: 'x'.repeat(100) });
  });

  it('gives the scope admin to administrators only', async () => {
    const admin = { scopes: [Scope.ADMIN] };
    expect(await kindAndReason(create(await registerAccount(service), admin))).toBe('permission_denied/ADMIN_REQUIRED');
    await create(await registerAdmin(service), admin);
  });
});

describe('GetCaller', () => {
  it('J9: tells every token what it allows, and a session that it needs no scopes', async () => {
    const admin = await registerAdmin(service);
    const { personalToken, token } = await create(admin, { scopes: [Scope.USERS_READ, Scope.TASKS_READ] });
    const caller = { accountId: admin.account.id, personalTokenId: personalToken.id, role: Role.USER };
    expect(await auth.getCaller({}, { token })).toEqual({
      caller: { ...caller, scopes: [Scope.TASKS_READ, Scope.USERS_READ] },
    });
    const acting = await create(admin, { scopes: [Scope.ADMIN] });
    expect((await auth.getCaller({}, { token: acting.token })).caller).toMatchObject({ role: Role.ADMIN });
    expect(await auth.getCaller({}, as(admin))).toEqual({
      caller: { accountId: admin.account.id, personalTokenId: '', role: Role.ADMIN, scopes: [] },
    });
  });

  it('J9: is refused to a token that has ended', async () => {
    const user = await registerAccount(service);
    const { personalToken, token } = await create(user);
    await auth.getCaller({}, { token });
    await auth.revokePersonalToken({ personalTokenId: personalToken.id }, as(user));
    expect((await untilRefused(() => auth.getCaller({}, { token }))).error).toMatchObject(tokenInvalid);
  });
});

describe('a personal token', () => {
  it('does nothing beyond its scopes, and nothing that needs a session', async () => {
    const { token } = await create(await registerAdmin(service), { scopes: [Scope.TASKS_READ, Scope.ADMIN] });
    const missing = await refusal(use(token));
    expect(missing).toMatchObject({ kind: 'permission_denied', reason: 'MISSING_SCOPE' });
    expect(missing.details.metadata).toEqual({ scope: 'account:read' });
    const required = 'permission_denied/SESSION_REQUIRED';
    expect(await kindAndReason(auth.createPersonalToken(request, { token }))).toBe(required);
    expect(await kindAndReason(auth.listPersonalTokens({}, { token }))).toBe(required);
    expect(await kindAndReason(auth.setRole({}, { token }))).toBe(required);
    expect(await kindAndReason(auth.revokeOtherSessions({}, { token }))).toBe(required);
  });

  it('ends with its time, and stays in the list for 30 days', async () => {
    const user = await registerAccount(service);
    const { personalToken, token } = await create(user);
    service.clock.advance(3_600_000);
    await expect(use(token)).rejects.toMatchObject(tokenInvalid);
    const again = await signInAgain(user);
    expect((await auth.listPersonalTokens({}, as(again))).personalTokens).toEqual([personalToken]);
  });

  it('ends when it is revoked, and others do not', async () => {
    const user = await registerAccount(service);
    const [first, second] = [await create(user), await create(user)];
    await use(first.token);
    const personalTokenId = first.personalToken.id;
    const { personalToken } = await auth.revokePersonalToken({ personalTokenId }, as(user));
    expect(personalToken).toMatchObject({ id: personalTokenId, revokeTime: expect.any(Date) });
    expect(personalToken?.expireTime).toEqual(personalToken?.revokeTime);
    expect((await untilRefused(() => use(first.token))).error).toMatchObject(tokenInvalid);
    expect((await auth.revokePersonalToken({ personalTokenId }, as(user))).personalToken).toMatchObject({
      revokeTime: personalToken?.revokeTime,
    });
    await use(second.token);
  });

  it('rests while its account is disabled', async () => {
    const admin = await registerAdmin(service);
    const { account, ...user } = await registerAccount(service);
    const { token } = await create({ account, ...user });
    await use(token);
    await auth.disableAccount({ accountId: account.id }, as(admin));
    expect((await untilRefused(() => use(token))).error).toMatchObject(tokenInvalid);
    await auth.enableAccount({ accountId: account.id }, as(admin));
    await waitUntil(
      () => use(token).catch((error: unknown) => error),
      (answer) => !(answer instanceof Error),
    );
  });

  it('loses what only an administrator may when its person is no administrator any more', async () => {
    const [admin, demoted] = [await registerAdmin(service), await registerAdmin(service)];
    const { token } = await create(demoted, { scopes: [Scope.ADMIN, Scope.ACCOUNT_READ] });
    await breakers.listBreakers({}, { token });
    await auth.setRole({ accountId: demoted.account.id, role: Role.USER }, as(admin));
    const { error } = await untilRefused(() => breakers.listBreakers({}, { token }));
    expect(error).toMatchObject({ kind: 'permission_denied', reason: 'ADMIN_REQUIRED' });
    await use(token);
  });

  it('outlives a change of the password', async () => {
    const user = await registerAccount(service);
    const { token } = await create(user);
    const change = { currentPassword: user.request.password, newPassword: 'another horse battery' };
    await auth.changePassword(change, as(user));
    await use(token);
  });

  it('says when it was last used, to the hour', async () => {
    const user = await registerAccount(service);
    const { token } = await create(user);
    const lastUse = async () => (await auth.listPersonalTokens({}, as(user))).personalTokens[0]?.lastUseTime;
    expect(await lastUse()).toBeUndefined();
    await use(token);
    const first = await waitUntil(lastUse, (time) => time !== undefined);
    await use(token);
    expect(await lastUse()).toEqual(first);
  });

  it('is made from its seed again as long as its key is known', () => {
    const [older, newer] = [randomBytes(32), randomBytes(32)];
    const { token, tokenHash, seed } = createPersonalTokens([older]).create();
    expect(createPersonalTokens([newer, older]).recover(seed, tokenHash)).toBe(token);
    expect(createPersonalTokens([newer]).recover(seed, tokenHash)).toBeUndefined();
  });
});

describe('ListPersonalTokens and RevokePersonalToken', () => {
  it("show the caller's own in pages, newest first, and nobody else's", async () => {
    const [user, other] = [await registerAccount(service), await registerAccount(service)];
    const made: string[] = [];
    for (let index = 0; index < 5; index += 1) made.unshift((await create(user)).personalToken.id);
    const pages = await readPages((pageToken) => auth.listPersonalTokens({ pageSize: 2, pageToken }, as(user)));
    expect(pages.map(({ personalTokens }) => personalTokens.map(({ id }) => id))).toEqual([
      made.slice(0, 2),
      made.slice(2, 4),
      made.slice(4),
    ]);
    expect((await auth.listPersonalTokens({}, as(other))).personalTokens).toEqual([]);
    const revoke = (personalTokenId: string, as_: { token: string }) =>
      auth.revokePersonalToken({ personalTokenId }, as_);
    const notFound = 'not_found/PERSONAL_TOKEN_NOT_FOUND';
    expect(await kindAndReason(revoke(made[0] ?? '', as(other)))).toBe(notFound);
    expect(await kindAndReason(revoke(randomUUID(), as(user)))).toBe(notFound);
    expect(await invalidFields(revoke('x', as(user)))).toEqual(['personal_token_id']);
  });
});
