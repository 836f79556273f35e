import { createHash } from 'node:crypto';
import type { Attempts } from '#libs/limits';
import { currentContext, toPeerNetwork } from '#libs/runtime';
import type { PasswordGuard } from '../deps.ts';
import { isWrongPassword, tooManyAttempts } from '../domain/auth.errors.ts';

// Redis needs nobody's e-mail, only the same key again.
function keyOf(account: string): string {
  const peer = toPeerNetwork(currentContext()?.peer ?? '');
  return createHash('sha256').update(`${account}\n${peer}`).digest('base64url');
}

/**
 * Growing waits for wrong passwords, per account and peer: nobody can lock the owner out from elsewhere. The attempt is
 * taken before the password is looked at, so guesses in parallel are no more than guesses one after another.
 */
export function createPasswordGuard(attempts: Attempts): PasswordGuard {
  return {
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
