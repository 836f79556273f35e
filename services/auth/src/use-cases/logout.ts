import type { AuthDeps } from '../deps.ts';

/** Ends the session that a refresh token of any generation belongs to. Repeating it changes nothing. */
export async function logout({ uow, refreshTokens, clock }: Pick<AuthDeps, 'uow' | 'refreshTokens' | 'clock'>, refreshToken: string): Promise<void> {
  await uow.run(async ({ sessions }) => {
    const found = await sessions.lockByToken(refreshTokens.hashOf(refreshToken));
    found?.session.revoke('logout', clock.now());
  });
}
