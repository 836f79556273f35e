import { Role, type CheckPersonalTokenResponse } from '#contract/auth/v1/auth';
import type { AuthDeps } from '../deps.ts';
import { tokenIssueTime } from '../domain/account.entity.ts';

/** Whose a token is and what it may do now; nothing when it is good for nothing. */
export async function checkPersonalToken(
  { reader, clock, tokenUses }: Pick<AuthDeps, 'reader' | 'clock' | 'tokenUses'>,
  tokenHash: Uint8Array,
): Promise<CheckPersonalTokenResponse> {
  const now = clock.now();
  const found = await reader.findTokenGrant(Buffer.from(tokenHash).toString('base64url'), now);
  if (found === undefined) return { grant: undefined };
  tokenUses.note(found);
  const { id, accountId, role, scopes, expireTime, tokensNotBefore } = found;
  return {
    grant: {
      personalTokenId: id,
      accountId,
      role: role === 'admin' ? Role.ADMIN : Role.USER,
      scopes,
      expireTime,
      issueTime: tokenIssueTime(tokensNotBefore, now),
    },
  };
}
