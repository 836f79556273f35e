import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createPasswordHasher } from '../src/security/password-hasher.ts';
import { registration } from './factories.ts';
import { startAuth, type TestAuth } from './start-auth.ts';

let service: TestAuth;
beforeAll(async () => {
  service = await startAuth({ overrides: { passwords: await createPasswordHasher() }, config: { refreshGraceMs: 0 } });
});
afterAll(() => service?.stop());

describe('logs and errors', () => {
  it('D18: hold no password, no token and no hash, whether calls succeed or fail', async () => {
    const answers: string[] = [];
    const call = async <T>(promise: Promise<T>): Promise<T | undefined> =>
      promise.catch((error: { message: string; statusBytes?: Buffer }) => {
        answers.push(error.message, error.statusBytes?.toString('latin1') ?? '');
        return undefined;
      });
    const { auth } = service;
    const password = 'canary-password-one';
    const request = registration({ password });
    const registered = await call(auth.register(request));
    await call(auth.register(request));
    await call(auth.register(registration({ password: 'canary-password-two', email: 'canary-no-email' })));
    await call(auth.register(registration({ password: 'canary-password-three', displayName: '' })));
    await call(auth.login({ ...request, password: 'canary-password-wrong' }));
    const login = await call(auth.login(request));
    const first = login?.tokens?.refreshToken ?? '';
    const refreshed = await call(auth.refreshSession({ refreshToken: first }));
    await call(auth.refreshSession({ refreshToken: first }));
    await call(auth.refreshSession({ refreshToken: 'canary-unknown-token' }));
    await call(auth.refreshSession({ refreshToken: `canary-long-token${'x'.repeat(600)}` }));
    await call(auth.refreshSession({ refreshToken: login?.tokens?.accessToken ?? '' }));
    await call(auth.login(request, { token: login?.tokens?.accessToken ?? '' }));
    await call(auth.logout({ refreshToken: registered?.tokens?.refreshToken ?? '' }));
    // A fault of the database that quotes the row is the worst case.
    await service.sql('alter table accounts add constraint canary check (role is null) not valid');
    await call(auth.register(registration({ password: 'canary-password-four' })));

    const hashes = await service.sql<{ secret: string }>('select password_hash as secret from accounts union all select token_hash from refresh_tokens');
    const tokens = [registered, login, refreshed].flatMap((answer) => [answer?.tokens?.accessToken, answer?.tokens?.refreshToken]);
    const written = [...service.logLines, ...answers].join('');
    for (const secret of [...tokens, ...hashes.map((row) => row.secret), 'canary-']) {
      expect(secret).toBeTruthy();
      expect(written).not.toContain(secret);
    }
    expect(answers.length).toBeGreaterThanOrEqual(16);
    expect(written).toContain('AuthService/Register');
  });
});
