import { afterAll, describe, expect, it } from '@jest/globals';
import type { TokenPair } from '#contract/auth/v1/auth';
import type { CallError } from '#dev/stubs';
import { as, registerAdmin, registration } from './factories.ts';
import { listMails, readMail, startWithMail, tokenFor } from './mailbox.ts';
import { useAfterTest } from './start-auth.ts';

useAfterTest();

const service = await startWithMail({ config: { refreshGraceMs: 0 } });
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
  it('contain no one-time token and no e-mail, whether they are used, refused or mailed', async () => {
    const { auth } = service;
    const admin = await registerAdmin(service);
    const request = registration();
    const { account } = await auth.register(request);
    const { token: created } = await auth.createPasswordReset({ accountId: account?.id ?? '' }, as(admin));
    const invited = registration().email;
    const { token: invitation } = await auth.inviteUser({ email: invited }, as(admin));
    await auth.requestPasswordReset(request);
    const tokens = [
      created,
      invitation,
      await tokenFor(service, request.email, 'password_reset'),
      await tokenFor(service, request.email, 'email_verification'),
      await tokenFor(service, invited, 'invitation'),
    ];
    const refusals: string[] = [];
    for (const token of tokens)
      for (const use of [
        () => auth.resetPassword({ token, newPassword: 'canary-password-five' }),
        () => auth.verifyEmail({ token }),
        () => auth.resetPassword({ token: `${token}\u0007`, newPassword: 'canary-password-six' }),
      ])
        await use().catch((error: CallError) =>
          refusals.push(error.message, error.statusBytes?.toString('latin1') ?? ''),
        );
    const [mail = ''] = await listMails(service, request.email, 'account_recovered');
    await readMail(service, mail);
    const written = [...service.logLines, ...refusals].join('');
    for (const secret of [...tokens, request.email, invited, 'canary-']) {
      expect(secret).not.toBe('');
      expect(written).not.toContain(secret);
    }
    expect(written).toContain('AuthService/ResetPassword');
    expect(written).toContain('InternalAuthService/GetMail');
    const rows = await service.sql<{ row: string }>(
      `select t::text as row from account_tokens t union all select m::text from mails m
       union all select i::text from invitations i union all select o::text from outbox o`,
    );
    const stored = rows.map(({ row }) => row).join('');
    expect(stored).toContain(invited);
    for (const token of tokens) expect(stored).not.toContain(token);
  });

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
