import { createHash } from 'node:crypto';
import type { Attempts } from '#libs/limits';
import { currentContext, toPeerNetwork } from '#libs/runtime';
import type { PasswordGuard } from '../deps.ts';
import { isWrongPassword, tooManyAttempts } from '../domain/auth.errors.ts';

// Redis gets a hash: it needs a stable key, not the e-mail.
function keyOf(account: string): string {
  const peer = toPeerNetwork(currentContext()?.peer ?? '');
  return createHash('sha256').update(`${account}\n${peer}`).digest('base64url');
}

/**
 * Growing waits for wrong passwords, per account and peer, so that nobody can lock the owner out from elsewhere. An
 * attempt counts before its password is checked, so parallel guesses gain nothing over sequential ones.
 */
export function createPasswordGuard(attempts: Attempts): PasswordGuard {
  return {
    forget: (account) => attempts.forget(keyOf(account)),
    guard: async (account, check) => {
      const key = keyOf(account);
      const { allowed, retryAfterMs } = await attempts.take(key);
      if (!allowed) throw tooManyAttempts(retryAfterMs);
      try {
        const result = await check();
        await attempts.forget(key);
        return result;
      } catch (error) {
        if (!isWrongPassword(error)) await attempts.giveBack(key);
        throw error;
      }
    },
  };
}
