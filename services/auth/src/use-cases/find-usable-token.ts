import type { AuthDeps } from '../deps.ts';
import type { AccountTokenKind, AccountTokenValues } from '../domain/account-token.columns.ts';

/** What is stored of a token of one of the kinds; undefined when it is not there or has expired. */
export async function findUsableToken(
  { reader, oneTimeTokens, clock }: Pick<AuthDeps, 'reader' | 'oneTimeTokens' | 'clock'>,
  token: string,
  kinds: readonly AccountTokenKind[],
): Promise<AccountTokenValues | undefined> {
  const found = await reader.findAccountToken(oneTimeTokens.hashOf(token));
  return found !== undefined && kinds.includes(found.kind) && found.expireTime > clock.now() ? found : undefined;
}
