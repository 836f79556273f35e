import { afterAll, describe, expect, it } from '@jest/globals';
import { hash } from '@node-rs/argon2';
import { invalidFields, kindAndReason } from '#dev/testing';
import type { CallError } from '#dev/stubs';
import { as, refresh, registerAccount, registration, tokenInvalid, untilRefused } from './factories.ts';
import { startAuth } from './start-auth.ts';

const service = await startAuth();
afterAll(service.stop);

const newPassword = 'another horse battery';
const passwordWrong = { kind: 'permission_denied', reason: 'PASSWORD_WRONG' };
const credentialsInvalid = { kind: 'unauthenticated', reason: 'CREDENTIALS_INVALID' };

async function storedHash(email: string): Promise<string> {
  const [row] = await service.sql<{ password_hash: string }>('select password_hash from accounts where email = $1', [
    email,
  ]);
  return row?.password_hash ?? '';
}

describe('passwords', () => {
  it.each(['password', 'Password123', '12345678', 'QWERTYUIOP'])(
    'A3: that everybody uses are refused: %s',
    async (password) => {
      expect(await invalidFields(service.auth.register(registration({ password })))).toEqual(['password']);
      const { request, tokens } = await registerAccount(service);
      const change = service.auth.changePassword(
        { currentPassword: request.password, newPassword: password },
        as({ tokens }),
      );
      expect(await invalidFields(change)).toEqual(['new_password']);
    },
  );

  it('A3: that were set before there were rules still let their owner in', async () => {
    const { request } = await registerAccount(service);
    await service.sql('update accounts set password_hash = $1 where email = $2', [await hash('1234'), request.email]);
    await expect(service.auth.login({ ...request, password: '1234' })).resolves.toMatchObject({
      account: { email: request.email },
    });
  });

  it('A3: hashed with another cost are hashed anew at the next login, also when several log in at once', async () => {
    const { request, tokens } = await registerAccount(service);
    const cheap = await hash(request.password, { memoryCost: 8192, timeCost: 1, parallelism: 1 });
    await service.sql('update accounts set password_hash = $1 where email = $2', [cheap, request.email]);
    await Promise.all(Array.from({ length: 5 }, () => service.auth.login(request)));
    const renewed = await storedHash(request.email);
    expect(renewed).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
    await service.auth.login(request);
    expect(await storedHash(request.email)).toBe(renewed);
    await refresh(service, { tokens });
  });

  it('are not hashed anew for a wrong guess', async () => {
    const { request } = await registerAccount(service);
    const cheap = await hash(request.password, { memoryCost: 8192, timeCost: 1, parallelism: 1 });
    await service.sql('update accounts set password_hash = $1 where email = $2', [cheap, request.email]);
    await expect(service.auth.login({ ...request, password: 'wrong password' })).rejects.toMatchObject(
      credentialsInvalid,
    );
    expect(await storedHash(request.email)).toBe(cheap);
  });
});

describe('ChangePassword', () => {
  it('D27, A11: needs the current password, and changes nothing without it', async () => {
    const { request, tokens } = await registerAccount(service);
    const other = await service.auth.login(request);
    const wrong = service.auth.changePassword({ currentPassword: 'wrong password', newPassword }, as({ tokens }));
    await expect(wrong).rejects.toMatchObject(passwordWrong);
    await service.auth.login(request);
    await refresh(service, other);
  });

  it('D27, A11: ends all other sessions and keeps its own', async () => {
    const { request, account, tokens } = await registerAccount(service);
    const other = await service.auth.login(request);
    expect(
      await service.auth.changePassword({ currentPassword: request.password, newPassword }, as({ tokens })),
    ).toEqual({ account: { ...account, etag: expect.any(String) } });
    await expect(service.auth.login(request)).rejects.toMatchObject(credentialsInvalid);
    await service.auth.login({ ...request, password: newPassword });
    await expect(refresh(service, other)).rejects.toMatchObject({ reason: 'REFRESH_TOKEN_INVALID' });
    expect((await untilRefused(() => service.auth.listSessions({}, as(other)))).error).toMatchObject(tokenInvalid);
    const refreshed = await refresh(service, { tokens });
    expect((await service.auth.listSessions({}, as(refreshed))).sessions).toHaveLength(2);
  });

  it('of two at once with the same current password lets one through', async () => {
    const { request, tokens } = await registerAccount(service);
    const other = await service.auth.login(request);
    const results = await Promise.allSettled([
      service.auth.changePassword({ currentPassword: request.password, newPassword }, as({ tokens })),
      service.auth.changePassword(
        { currentPassword: request.password, newPassword: 'a third horse battery' },
        as(other),
      ),
    ]);
    expect(results.filter((result) => result.status === 'fulfilled')).toHaveLength(1);
    const [lost] = results.filter((result) => result.status === 'rejected');
    expect(['PASSWORD_WRONG', 'TOKEN_INVALID']).toContain((lost?.reason as CallError).reason);
  });

  it('names all bad fields at once', async () => {
    const { tokens } = await registerAccount(service);
    expect(
      await invalidFields(service.auth.changePassword({ currentPassword: '', newPassword: 'short' }, as({ tokens }))),
    ).toEqual(['current_password', 'new_password']);
    const tooLong = { currentPassword: 'x'.repeat(1025), newPassword: 'x'.repeat(1025) };
    expect(await invalidFields(service.auth.changePassword(tooLong, as({ tokens })))).toEqual([
      'current_password',
      'new_password',
    ]);
  });
});

describe('ChangeEmail', () => {
  it('makes the new address the one to sign in with, and sends it to users', async () => {
    const { request, account, tokens } = await registerAccount(service);
    const { email } = registration();
    const changed = await service.auth.changeEmail(
      { currentPassword: request.password, newEmail: ` ${email.toUpperCase()}` },
      as({ tokens }),
    );
    expect(changed.account).toEqual({ ...account, email, etag: expect.any(String) });
    await expect(service.auth.login(request)).rejects.toMatchObject(credentialsInvalid);
    expect((await service.auth.login({ ...request, email })).account).toEqual(changed.account);
    const entries = await service.sql<{ payload: object }>(
      `select payload from outbox where payload->>'accountId' = $1 order by create_time`,
      [account.id],
    );
    expect(entries.at(-1)?.payload).toMatchObject({ email, accountVersion: '2', displayName: 'Ada' });
    await refresh(service, { tokens });
  });

  it('B2: refuses an address that has an account, in any spelling, and changes nothing without the password', async () => {
    const taken = await registerAccount(service);
    const { request, tokens } = await registerAccount(service);
    const change = (currentPassword: string, newEmail: string) =>
      service.auth.changeEmail({ currentPassword, newEmail }, as({ tokens }));
    expect(await kindAndReason(change(request.password, taken.request.email.toUpperCase()))).toBe(
      'already_exists/EMAIL_TAKEN',
    );
    await expect(change('wrong password', registration().email)).rejects.toMatchObject(passwordWrong);
    expect(await invalidFields(change('', 'nobody'))).toEqual(['current_password', 'new_email']);
    expect((await change(request.password, request.email)).account?.email).toBe(request.email);
    await service.auth.login(request);
  });

  it('gives an address that several ask for at once to one of them', async () => {
    const { email: newEmail } = registration();
    const people = await Promise.all(Array.from({ length: 6 }, () => registerAccount(service)));
    const results = await Promise.allSettled(
      people.map((person) =>
        service.auth.changeEmail({ currentPassword: person.request.password, newEmail }, as(person)),
      ),
    );
    expect(results.filter((result) => result.status === 'fulfilled')).toHaveLength(1);
    for (const result of results)
      if (result.status === 'rejected') expect(result.reason).toMatchObject({ reason: 'EMAIL_TAKEN' });
  });
});
