import { invalidFields, type AppError } from '#libs/errors';
import type { UserActor } from '#libs/runtime';
import { DeleteAccountRequest, DeleteAccountResponse } from '#contract/auth/v1/auth';
import type { AuthDeps, Repositories } from '../deps.ts';
import type { Account } from '../domain/account.entity.ts';
import { callerEnded, passwordWrong, userNotFound } from '../domain/auth.errors.ts';
import {
  configuredAdministrator,
  foreignAccount,
  successorEmailNotFound,
  successorNotFound,
} from '../domain/deletion.errors.ts';
import { newNotice } from '../domain/mail.columns.ts';
import { changeAccount, lockReplaceable, type AccountChange, type AdministrationNeeds } from './change-account.ts';
import { changeOrRecall, checkCurrentPassword } from './check-current-password.ts';
import { endAllSessions } from './end-all-sessions.ts';
import { onceFor, recallForEnded, type Change } from './repeatable.ts';

type Needs = AdministrationNeeds &
  Pick<AuthDeps, 'reader' | 'people' | 'passwords' | 'passwordGuard' | 'audit' | 'newId' | 'settings'>;

type Input = Change<DeleteAccountRequest>;

const method = { name: 'DeleteAccount', request: DeleteAccountRequest, response: DeleteAccountResponse };

/** Deletes the own account, which needs the password, or as an administrator another one. */
export function deleteAccount(deps: Needs, actor: UserActor, input: Input): Promise<DeleteAccountResponse> {
  const accountId = input.accountId === '' ? actor.userId : input.accountId;
  const once = onceFor(deps, actor, method, input);
  if (actor.ended === true) return recallForEnded(deps, once);
  const noticeId = deps.newId();
  const change = async (checked?: Account): Promise<DeleteAccountResponse> => {
    const successor = await findSuccessor(deps, actor, input);
    return changeAccount(deps, {
      once,
      validateOnly: input.validateOnly,
      audit: 'deletion_requested',
      apply: (repositories, now) =>
        markDeleted(deps, repositories, { ...input, accountId, successor, actor, checked, noticeId, now }),
    });
  };
  if (accountId !== actor.userId) {
    if (actor.role !== 'admin') throw foreignAccount();
    return changeOrRecall(deps, once, change);
  }
  if (input.currentPassword === '')
    throw invalidFields([{ field: 'current_password', description: 'must be set for the own account' }]);
  return changeOrRecall(deps, once, async () => change(await checkCurrentPassword(deps, actor, input.currentPassword)));
}

interface Successor {
  /** Undefined when the caller finds nobody by the e-mail. */
  id: string | undefined;
  notFound: () => AppError;
}

/** Whom the caller names, if anybody. It is judged in the transaction, which may answer a repeat. */
async function findSuccessor(
  { people }: Pick<Needs, 'people'>,
  actor: UserActor,
  { successorId, successorEmail }: Input,
): Promise<Successor | undefined> {
  if (successorEmail !== '')
    return { id: await people.findByEmail(actor, successorEmail), notFound: successorEmailNotFound };
  return successorId === '' ? undefined : { id: successorId, notFound: () => successorNotFound(successorId) };
}

interface Deletion extends Pick<Input, 'accountId' | 'etag'> {
  actor: UserActor;
  successor: Successor | undefined;
  /** The account for which the password was right. */
  checked: Account | undefined;
  noticeId: string;
  now: Date;
}

async function markDeleted(
  { settings }: Pick<Needs, 'settings'>,
  repositories: Repositories,
  deletion: Deletion,
): ReturnType<AccountChange['apply']> {
  const { actor, checked, successor, now } = deletion;
  const account = await lockReplaceable(repositories, deletion);
  if (await repositories.deletions.hasBegun(account.id)) throw userNotFound(account.id);
  if (checked !== undefined) requireUnchanged(account, checked);
  if (settings.administrator !== undefined && account.hasMailboxOf(settings.administrator.email))
    throw configuredAdministrator(account.id);
  const successorId = successor === undefined ? null : await requireSuccessor(repositories, account, successor);
  const purgeTime = new Date(now.getTime() + settings.deletionGraceMs);
  const values = { deleterId: actor.userId, successorId, purgeTime };
  const wasDeleted = account.deleteTime !== null;
  const isChanged = account.delete(values, now);
  if (!wasDeleted) await endAccess(settings, repositories, account, deletion);
  return { account, isChanged, details: { successor: account.successorId ?? '' } };
}

/** The account must still be as it was when its password was checked. */
function requireUnchanged(account: Account, checked: Account): void {
  if (!account.enabled) throw callerEnded();
  if (!account.hasPasswordOf(checked)) throw passwordWrong();
}

async function requireSuccessor({ accounts }: Repositories, account: Account, successor: Successor): Promise<string> {
  const { id, notFound } = successor;
  const found = id === undefined || id === account.id ? undefined : await accounts.findUnchanging(id);
  if (found?.enabled !== true) throw notFound();
  return found.id;
}

/** Ends what the account could be used by, and tells its person. */
async function endAccess(
  { recovery, deletionGraceMs }: Needs['settings'],
  repositories: Repositories,
  account: Account,
  { noticeId, now }: Deletion,
): Promise<void> {
  await endAllSessions(repositories, account, { reason: 'account_disabled', now });
  await repositories.accountTokens.endAll(account.id);
  if (!recovery.sendsMail || account.serviceAccount || deletionGraceMs === 0) return;
  const identity = { id: noticeId, accountId: account.id, email: account.email };
  repositories.mails.send(newNotice(identity, { kind: 'account_deleted' }, now));
}
