import { randomBytes } from 'node:crypto';
import type { AuthDeps } from '../deps.ts';
import type { AccountRole, NewAccount } from '../domain/account.columns.ts';

interface AccountInput {
  email: string;
  displayName: string;
  role: AccountRole;
  /** undefined: nobody knows the password, so nobody can sign in. */
  password: string | undefined;
}

/** What an account is made of. It hashes, so it comes before the transaction. */
export async function prepareAccount(
  { passwords, newId }: Pick<AuthDeps, 'passwords' | 'newId'>,
  { email, displayName: registeredName, role, password }: AccountInput,
): Promise<NewAccount> {
  // A hash like all others: signing in does the same work and gets the same answer as with a wrong password.
  const passwordHash = await passwords.hash(password ?? randomBytes(32).toString('base64url'));
  return { id: newId(), email, passwordHash, role, registeredName };
}
