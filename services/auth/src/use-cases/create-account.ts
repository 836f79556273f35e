import { CreateAccountRequest, CreateAccountResponse } from '#contract/auth/v1/auth';
import type { UserActor } from '#libs/runtime';
import type { AuthDeps } from '../deps.ts';
import type { AccountRole } from '../domain/account.columns.ts';
import { Account } from '../domain/account.entity.ts';
import { emailTaken } from '../domain/auth.errors.ts';
import { changeAccount, type AdministrationNeeds } from './change-account.ts';
import { prepareAccount } from './prepare-account.ts';
import { onceFor, type Change } from './repeatable.ts';

type Needs = AdministrationNeeds & Pick<AuthDeps, 'reader' | 'passwords' | 'newId'>;

type CreateAccountInput = Omit<Change<CreateAccountRequest>, 'role' | 'password'> & {
  role: AccountRole;
  /** undefined: nobody can sign in. */
  password: string | undefined;
};

const method = { name: 'CreateAccount', request: CreateAccountRequest, response: CreateAccountResponse };

/** Creates an account for somebody else, in any mode of registration. */
export async function createAccount(
  deps: Needs,
  actor: UserActor,
  input: CreateAccountInput,
): Promise<CreateAccountResponse> {
  const once = onceFor(deps, actor, method, input);
  // Only saves the hashing: the transaction finds a recorded answer, too.
  const earlier = await deps.reader.recall(once);
  if (earlier !== undefined) return earlier;
  const values = await prepareAccount(deps, input);
  return changeAccount(deps, {
    once,
    validateOnly: input.validateOnly,
    audit: 'account_created',
    apply: async ({ accounts }, now) => {
      if (await accounts.hasEmail(values.email)) throw emailTaken();
      const account = Account.create(values, now);
      accounts.add(account);
      return { account, isChanged: true };
    },
  });
}
