import { afterAll, describe, expect, it } from '@jest/globals';
import { Role } from '#contract/auth/v1/auth';
import { policies } from '#libs/contract';
import { invalidFields, kindAndReason } from '#dev/testing';
import { lostRace, raceToRegister, registerAccount, registration } from './factories.ts';
import { startAuth } from './start-auth.ts';

const service = await startAuth();
afterAll(service.stop);

describe('Register', () => {
  it('gives the account and a pair of tokens', async () => {
    const request = registration();
    const before = Date.now();
    const { account, tokens } = await service.auth.register(request);
    expect(account).toEqual({
      id: expect.stringMatching(/^[0-9a-f-]{36}$/),
      email: request.email,
      emailVerified: false,
      serviceAccount: false,
      role: Role.USER,
      enabled: true,
      createTime: expect.any(Date),
      etag: expect.stringMatching(/^".+"$/),
    });
    expect(tokens?.refreshToken).toMatch(/^tfr_[\w-]{43}$/);
    const accessLifeMs = (tokens?.accessTokenExpireTime?.getTime() ?? 0) - before;
    expect(accessLifeMs).toBeGreaterThan(595_000);
    expect(accessLifeMs).toBeLessThan(605_000);
    expect(tokens?.refreshTokenExpireTime?.getTime()).toBeGreaterThan(before + 29 * 24 * 3_600_000);
  });

  it('succeeds while users is down, and keeps the message to users', async () => {
    const { account } = await registerAccount(service);
    const [entry] = await service.sql<{ kind: string; payload: object }>(
      `select kind, payload from outbox where payload->>'accountId' = $1`,
      [account.id],
    );
    expect(entry).toMatchObject({
      kind: 'upsert-profile',
      payload: { accountId: account.id, displayName: 'Ada', role: 'user', enabled: true, accountVersion: '1' },
    });
  });

  it.each([
    ['letter case', (email: string) => email.toUpperCase()],
    ['white space', (email: string) => `  ${email}\n`.replace('\n', ' ')],
    ['Unicode form', (email: string) => email.normalize('NFD')],
    ['spelling of its domain', (email: string) => email.replace('b\u00fccher', 'xn--bcher-kva')],
    [
      'spelling of its domain and letter case',
      (email: string) => email.replace('b\u00fccher', 'XN--BCHER-KVA').toUpperCase(),
    ],
    ['spelling of \u00df', (email: string) => email.replace('\u00df', 'ss')],
    ['spelling of a capital \u00df', (email: string) => email.replace('\u00df', '\u1e9e')],
    ['spelling of sigma', (email: string) => email.replace('\u03c3', '\u03c2')],
  ])('takes an e-mail in another %s for the same', async (_, vary) => {
    const { request } = await registerAccount(service, {
      email: registration().email.replace('ada', 'ren\u00e9-\u00df-\u03c3').replace('example', 'b\u00fccher.example'),
    });
    expect((await service.auth.login({ ...request, email: vary(request.email) })).account?.email).toBe(request.email);
    expect(await kindAndReason(service.auth.register({ ...request, email: vary(request.email) }))).toBe(
      'already_exists/EMAIL_TAKEN',
    );
  });

  it('makes one account of 50 registrations of one e-mail at the same time', async () => {
    const request = registration();
    const { registered, reasons } = await raceToRegister((index) =>
      service.auth.register(
        { ...request, email: index % 2 === 0 ? request.email : request.email.toUpperCase() },
        { timeoutMs: 60_000 },
      ),
    );
    expect(registered).toBeLessThanOrEqual(1);
    for (const reason of reasons) expect(lostRace).toContain(reason);
    expect(await service.sql('select 1 from accounts where email = $1', [request.email])).toHaveLength(1);
    const [sessions] = await service.sql<{ count: string }>(
      'select count(*) from sessions s join accounts a on a.id = s.account_id where a.email = $1',
      [request.email],
    );
    expect(sessions?.count).toBe('1');
  }, 120_000);

  it('names every wrong field at once', async () => {
    expect(
      await invalidFields(service.auth.register({ email: 'nobody', password: 'short', displayName: ' ' })),
    ).toEqual(['email', 'password', 'display_name']);
    expect(await invalidFields(service.auth.register({}))).toEqual(['email', 'password', 'display_name']);
  });

  it.each([
    ['email', { email: `${'a'.repeat(64)}@${'b'.repeat(63)}.${'c'.repeat(63)}.${'d'.repeat(63)}.com` }],
    ['email', { email: 'a\u0000b@example.com' }],
    ['password', { password: '1234567' }],
    ['password', { password: 'x'.repeat(1025) }],
    ['password', { password: '\u00e9'.repeat(513) }],
    ['password', { password: 'e\u0301'.repeat(7) }],
    ['password', { password: 'with a NUL \u0000' }],
    ['display_name', { displayName: 'x'.repeat(101) }],
    ['display_name', { displayName: 'two\nlines' }],
  ])('refuses a bad %s', async (field, changes) => {
    expect(await invalidFields(service.auth.register(registration(changes)))).toEqual([field]);
  });

  it('takes a password of 1024 bytes, and every character of it counts', async () => {
    const { request } = await registerAccount(service, { password: '\u00e9'.repeat(512) });
    await expect(service.auth.login(request)).resolves.toMatchObject({ account: { email: request.email } });
    await expect(service.auth.login({ ...request, password: 'e\u0301'.repeat(512) })).resolves.toMatchObject({
      account: { email: request.email },
    });
    await expect(service.auth.login({ ...request, password: `${'\u00e9'.repeat(511)}e` })).rejects.toMatchObject({
      reason: 'CREDENTIALS_INVALID',
    });
  });

  it('D16: creates an account that can log in when its transaction had to be repeated', async () => {
    // The first attempt to insert an account fails the way a lost serialization race does; sequences are not rolled
    // back.
    await service.sql(`
      create sequence attempts;
      create function lose_first_race() returns trigger language plpgsql as $$
      begin
        if nextval('attempts') = 1 then raise exception 'lost' using errcode = '40001'; end if;
        return new;
      end $$;
      create trigger lose_first_race before insert on accounts for each row execute function lose_first_race();`);
    const { request, account } = await registerAccount(service);
    const [attempts] = await service.sql<{ last_value: string }>('select last_value from attempts');
    expect(attempts?.last_value).toBe('2');
    await service.sql('drop trigger lose_first_race on accounts');
    expect((await service.auth.login(request)).account).toEqual(account);
  });

  it('D26: is the only way in for a new account', () => {
    const open = [...policies.values()].filter(
      (policy) => policy.access === 'public' && /^taskflow\.(auth|users)\./.test(policy.service),
    );
    expect(open.map((policy) => policy.method).toSorted()).toEqual([
      'GetJwks',
      'Login',
      'Logout',
      'ReclaimAccount',
      'RefreshSession',
      'Register',
      'RequestEmailVerification',
      'RequestPasswordReset',
      'ResetPassword',
      'VerifyEmail',
    ]);
    expect(policies.get('/taskflow.users.v1.InternalUsersService/UpsertProfile')).toMatchObject({
      access: 'service',
      callers: ['auth'],
    });
  });
});
