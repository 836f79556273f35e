import { afterAll, describe, expect, it } from '@jest/globals';
import type { TokenPair } from '#contract/auth/v1/auth';
import type { CallError } from '#libs/grpc';
import { registration } from './factories.ts';
import { startAuth } from './start-auth.ts';

const service = await startAuth({ config: { refreshGraceMs: 0 } });
afterAll(service.stop);

const answers: string[] = [];

async function call<T extends { tokens?: TokenPair | undefined }>(promise: Promise<T>): Promise<TokenPair> {
  const nothing = { accessToken: '', refreshToken: '' };
  try {
    return (await promise).tokens ?? nothing;
  } catch (error) {
    const { message, statusBytes } = error as CallError;
    answers.push(message, statusBytes?.toString('latin1') ?? '');
    return nothing;
  }
}

describe('logs and errors', () => {
  it('D18: contain no password, no token and no hash, whether calls succeed or fail', async () => {
    const { auth } = service;
    const request = registration({ password: 'canary-password-one' });
    const registered = await call(auth.register(request));
    await call(auth.register(request));
    await call(auth.register(registration({ password: 'canary-password-two', email: 'canary-no-email' })));
    await call(auth.register(registration({ password: 'canary-password-three', displayName: '' })));
    await call(auth.login({ ...request, password: 'canary-password-wrong' }));
    const login = await call(auth.login(request));
    const refreshed = await call(auth.refreshSession({ refreshToken: login.refreshToken }));
    for (const refreshToken of [
      login.refreshToken,
      'canary-unknown-token',
      `canary-long-token${'x'.repeat(600)}`,
      login.accessToken,
    ]) {
      await call(auth.refreshSession({ refreshToken }));
    }
    await call(auth.login(request, { token: login.accessToken }));
    await auth.logout({ refreshToken: registered.refreshToken });
    // A fault of the database that quotes the row is the worst case.
    await service.sql('alter table accounts add constraint canary check (role is null) not valid');
    await call(auth.register(registration({ password: 'canary-password-four' })));

    const hashes = await service.sql<{ secret: string }>(
      'select password_hash as secret from accounts union all select token_hash from refresh_tokens',
    );
    const tokens = [registered, login, refreshed].flatMap((pair) => [pair.accessToken, pair.refreshToken]);
    const written = [...service.logLines, ...answers].join('');
    for (const secret of [...tokens, ...hashes.map((row) => row.secret), 'canary-']) {
      expect(secret).not.toBe('');
      expect(written).not.toContain(secret);
    }
    expect(answers).toHaveLength(18);
    expect(written).toContain('AuthService/Register');
  });
});
