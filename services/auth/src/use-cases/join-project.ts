import { crashPoint } from '#libs/runtime';
import type { AuthDeps } from '../deps.ts';
import type { JoinOutcome } from '../domain/project-invitee.columns.ts';
import type { Projects } from '../domain/project-invitee.ports.ts';
import type { ProjectJoin } from '../domain/project-invitee.repository.ts';

type Needs = Pick<AuthDeps, 'uow' | 'reader' | 'joinAttempts'> & { projects: Projects };

/** Has tasks make somebody a member who has accepted an invitation, and keeps its answer. May be repeated. */
export function joinProject(deps: Needs, join: ProjectJoin): Promise<void> {
  const { uow, joinAttempts } = deps;
  const { invitationId } = join;
  return joinAttempts.attempt(invitationId, async () => {
    const outcome = await askTasks(deps, join);
    await uow.run(async ({ projectInvitees }) => (await projectInvitees.lock(invitationId))?.settle(outcome));
    crashPoint('accept.after-outcome');
  });
}

/** Once an account is deleted, nothing of it may come into tasks any more: its removal may have passed there. */
async function askTasks({ reader, projects }: Needs, join: ProjectJoin): Promise<JoinOutcome> {
  const account = await reader.findAccount(join.accountId);
  return account === undefined || account.deleteTime !== null ? 'account_deleted' : projects.join(join);
}
