import type { LogoutResponse } from '#contract/auth/v1/auth';
import type { AuthDeps } from '../deps.ts';
import { ofSession } from './audited.ts';
import { endSessions } from './end-sessions.ts';

/** Ends the session that a refresh token of any generation belongs to. Repeating it changes nothing. */
export async function logout(
  { uow, refreshTokens, clock }: Pick<AuthDeps, 'uow' | 'refreshTokens' | 'clock'>,
  refreshToken: string,
): Promise<LogoutResponse> {
  await uow.run(async (repositories) => {
    const found = await repositories.sessions.lockByToken(refreshTokens.hashOf(refreshToken));
    if (found === undefined || endSessions(repositories, [found.session], { reason: 'logout', now: clock.now() }) === 0)
      return;
    await repositories.audit.add({ action: 'signed_out', ...ofSession(found.session) });
  });
  return {};
}
