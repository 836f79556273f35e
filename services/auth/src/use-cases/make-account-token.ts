import type { AuthDeps, OneTimeTokenKind } from '../deps.ts';
import { newAccountToken, type AccountTokenKind, type AccountTokenValues } from '../domain/account-token.columns.ts';

const tokenKinds: Record<AccountTokenKind, OneTimeTokenKind> = {
  password_reset: 'passwordReset',
  email_verification: 'emailVerification',
  email_change: 'emailVerification',
};

/** The kind that the token of a row is derived by. */
export const tokenKindOf = (kind: AccountTokenKind): OneTimeTokenKind => tokenKinds[kind];

export interface MadeToken {
  token: string;
  /** What is stored of it. */
  valuesFor(
    account: { id: string; email: string },
    how: { mailed: boolean; restoresAdministrator?: boolean },
  ): AccountTokenValues;
}

const lifetimeOf = (
  kind: AccountTokenKind,
  { resetLifetimeMs, verificationLifetimeMs }: AuthDeps['settings']['recovery'],
): number => (kind === 'password_reset' ? resetLifetimeMs : verificationLifetimeMs);

/** Makes a one-time token before the transaction that stores it. By default it counts as long as its kind does. */
export function makeAccountToken(
  {
    oneTimeTokens,
    clock,
    newId,
    settings,
  }: Pick<AuthDeps, 'oneTimeTokens' | 'clock' | 'newId'> & { settings: Pick<AuthDeps['settings'], 'recovery'> },
  kind: AccountTokenKind,
  lifetimeMs = lifetimeOf(kind, settings.recovery),
): MadeToken {
  const id = newId();
  const token = oneTimeTokens.create(tokenKindOf(kind), id);
  const tokenHash = oneTimeTokens.hashOf(token);
  return {
    token,
    valuesFor: ({ id: accountId, email }, how) =>
      newAccountToken({ id, accountId, kind, email, tokenHash, ...how }, clock.now(), lifetimeMs),
  };
}
