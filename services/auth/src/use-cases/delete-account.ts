import { invalidFields } from '#libs/errors';
import type { UserActor } from '#libs/runtime';
import { DeleteAccountRequest, DeleteAccountResponse } from '#contract/auth/v1/auth';
import type { AuthDeps, Repositories } from '../deps.ts';
import type { Account } from '../domain/account.entity.ts';
import { callerEnded, passwordWrong, userNotFound } from '../domain/auth.errors.ts';
import { configuredAdministrator, foreignAccount, successorNotFound } from '../domain/deletion.errors.ts';
import { newNotice } from '../domain/mail.columns.ts';
import { changeAccount, lockReplaceable, type AdministrationNeeds } from './change-account.ts';
import { changeOrRecall, checkCurrentPassword } from './check-current-password.ts';
import { endAllSessions } from './end-all-sessions.ts';
import { onceFor, recallForEnded, type Change } from './repeatable.ts';

type Needs = AdministrationNeeds &
  Pick<AuthDeps, 'reader' | 'passwords' | 'passwordGuard' | 'audit' | 'newId' | 'settings'>;

type Input = Change<DeleteAccountRequest>;

const method = { name: 'DeleteAccount', request: DeleteAccountRequest, response: DeleteAccountResponse };

/** Deletes the own account, which needs the password, or as an administrator another one. */
export function deleteAccount(deps: Needs, actor: UserActor, input: Input): Promise<DeleteAccountResponse> {
  const accountId = input.accountId === '' ? actor.userId : input.accountId;
  const once = onceFor(deps, actor, method, input);
  if (actor.ended === true) return recallForEnded(deps, once);
  const noticeId = deps.newId();
  const change = (checked?: Account): Promise<DeleteAccountResponse> =>
    changeAccount(deps, {
      once,
      validateOnly: input.validateOnly,
      audit: 'deletion_requested',
      apply: (repositories, now) =>
        markDeleted(deps, repositories, { ...input, accountId, actor, checked, noticeId, now }),
    });
  if (accountId !== actor.userId) {
    if (actor.role !== 'admin') throw foreignAccount();
    return change();
  }
  if (input.currentPassword === '')
    throw invalidFields([{ field: 'current_password', description: 'must be set for the own account' }]);
  return changeOrRecall(deps, once, async () => change(await checkCurrentPassword(deps, actor, input.currentPassword)));
}

interface Deletion extends Pick<Input, 'accountId' | 'successorId' | 'etag'> {
  actor: UserActor;
  /** The account for which the password was right. */
  checked: Account | undefined;
  noticeId: string;
  now: Date;
}

async function markDeleted(
  { settings }: Pick<Needs, 'settings'>,
  repositories: Repositories,
  deletion: Deletion,
): Promise<{ account: Account; isChanged: boolean }> {
  const { actor, checked, successorId, now } = deletion;
  const account = await lockReplaceable(repositories, deletion);
  if (await repositories.deletions.hasBegun(account.id)) throw userNotFound(account.id);
  if (checked !== undefined) requireUnchanged(account, checked);
  if (settings.administrator !== undefined && account.hasMailboxOf(settings.administrator.email))
    throw configuredAdministrator(account.id);
  if (successorId !== '') await requireSuccessor(repositories, account, successorId);
  const purgeTime = new Date(now.getTime() + settings.deletionGraceMs);
  const values = { deleterId: actor.userId, successorId: successorId === '' ? null : successorId, purgeTime };
  const wasDeleted = account.deleteTime !== null;
  const isChanged = account.delete(values, now);
  if (!wasDeleted) await endAccess(settings, repositories, account, deletion);
  return { account, isChanged };
}

/** The account must still be as it was when its password was checked. */
function requireUnchanged(account: Account, checked: Account): void {
  if (!account.enabled) throw callerEnded();
  if (!account.hasPasswordOf(checked)) throw passwordWrong();
}

async function requireSuccessor({ accounts }: Repositories, { id }: Account, successorId: string): Promise<void> {
  const successor = successorId === id ? undefined : await accounts.findUnchanging(successorId);
  if (successor?.enabled !== true) throw successorNotFound(successorId);
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
