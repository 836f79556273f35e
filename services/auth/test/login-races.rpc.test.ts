import { afterAll, describe, expect, it } from '@jest/globals';
import { Role } from '#contract/auth/v1/auth';
import type { PasswordHasher } from '../src/deps.ts';
import { createPasswordHasher } from '../src/security/password-hasher.ts';
import { as, registerAccount, registerAdmin } from './factories.ts';
import { startAuth } from './start-auth.ts';

/** Runs between the check of the password and the end of the sign-in. */
let meanwhile: () => Promise<unknown> = () => Promise.resolve();
const real = await createPasswordHasher();
const passwords: PasswordHasher = {
  ...real,
  verify: async (hash, password) => {
    const matches = await real.verify(hash, password);
    await meanwhile();
    return matches;
  },
};
const service = await startAuth();
const slow = await startAuth({ replicaOf: service, overrides: { passwords } });
const admin = await registerAdmin(service);
afterAll(async () => {
  await slow.stop();
  await service.stop();
});

const refused = { kind: 'unauthenticated', reason: 'CREDENTIALS_INVALID' };

describe('a sign-in during which the account changes', () => {
  it('gives a token with the new role', async () => {
    const { request, account } = await registerAccount(service);
    meanwhile = () => service.auth.setRole({ accountId: account.id, role: Role.ADMIN }, as(admin));
    const signedIn = await slow.auth.login(request);
    expect(signedIn.account?.role).toBe(Role.ADMIN);
    await slow.auth.setRole({ accountId: account.id, role: Role.USER }, as(signedIn));
  });

  it('is refused when the account was disabled', async () => {
    const { request, account } = await registerAccount(service);
    meanwhile = () => service.auth.disableAccount({ accountId: account.id }, as(admin));
    await expect(slow.auth.login(request)).rejects.toMatchObject(refused);
  });

  it('is refused when the password was changed', async () => {
    const { request, tokens } = await registerAccount(service);
    const change = { currentPassword: request.password, newPassword: 'another horse battery' };
    meanwhile = () => service.auth.changePassword(change, as({ tokens }));
    await expect(slow.auth.login(request)).rejects.toMatchObject(refused);
    meanwhile = () => Promise.resolve();
    expect((await service.auth.listSessions({}, as({ tokens }))).sessions).toHaveLength(1);
  });
});
