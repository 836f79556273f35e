import { CreateAccountRequest, CreateAccountResponse } from '#contract/auth/v1/auth';
import type { UserActor } from '#libs/runtime';
import type { AuthDeps, Repositories } from '../deps.ts';
import type { AccountRole } from '../domain/account.columns.ts';
import { Account } from '../domain/account.entity.ts';
import { emailTaken } from '../domain/auth.errors.ts';
import { changeAccount, type AdministrationNeeds } from './change-account.ts';
import { mailToken } from './mail-token.ts';
import { makeAccountToken } from './make-account-token.ts';
import { prepareAccount } from './prepare-account.ts';
import { onceFor, type Change } from './repeatable.ts';

type Needs = AdministrationNeeds & Pick<AuthDeps, 'reader' | 'passwords' | 'newId' | 'oneTimeTokens' | 'settings'>;

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
  const mailFirstToken = firstTokenMailer(deps, input);
  return changeAccount(deps, {
    once,
    validateOnly: input.validateOnly,
    audit: 'account_created',
    apply: async (repositories, now) => {
      const { accounts } = repositories;
      if (await accounts.hasEmail(values.email)) throw emailTaken();
      const account = Account.create(values, now);
      accounts.add(account);
      await mailFirstToken(repositories, account);
      return { account, isChanged: true };
    },
  });
}

/**
 * Mails the person a token: one that sets a password, where there is none, for as long as an invitation is open; else
 * one that verifies the e-mail, as after a registration. The password itself is for the administrator to hand over.
 */
function firstTokenMailer(deps: Needs, { password }: Pick<CreateAccountInput, 'password'>) {
  const { recovery, invitationLifetimeMs } = deps.settings;
  const { mailsPerHour } = recovery;
  const mailId = deps.newId();
  const hasPassword = password !== undefined;
  const token = hasPassword
    ? makeAccountToken(deps, 'email_verification')
    : makeAccountToken(deps, 'password_reset', invitationLifetimeMs);
  const how = { mailId, mailsPerHour, isNew: true, ...(!hasPassword && { kind: 'account_created' as const }) };
  return async (repositories: Repositories, account: Account): Promise<void> => {
    if (recovery.sendsMail) await mailToken(repositories, token.valuesFor(account, { mailed: true }), how);
  };
}
