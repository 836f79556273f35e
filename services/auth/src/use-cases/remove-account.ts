import { crashPoint, steadyNow } from '#libs/runtime';
import type { AuthDeps } from '../deps.ts';
import { removalSteps, type RemovalStep } from '../domain/account-deletion.entity.ts';
import type { AccountRemoval, Removal } from '../domain/account-deletion.repository.ts';
import type { Removers } from '../domain/removal.ports.ts';
import { ofAccount } from './audited.ts';

type Needs = Pick<AuthDeps, 'uow' | 'removals'> & { removers: Removers };

/** After this time it goes on in another call of the outbox, so that none runs out of time. */
const turnMs = 10_000;

/**
 * Carries a removal on, step by step. Each step is bounded calls that may be repeated, and where it stands is recorded
 * after it: whoever dies, the next call goes on from there.
 */
export async function removeAccount(deps: Needs, { accountId }: AccountRemoval): Promise<void> {
  const { uow, removals } = deps;
  const endTime = steadyNow() + turnMs;
  for (;;) {
    const removal = await removals.find(accountId);
    if (removal === undefined || removal.step === 'finished') return;
    if (steadyNow() >= endTime) return uow.run(async ({ deletions }) => deletions.goOn(accountId));
    if (removal.step === 'account') await removeRows(deps, accountId);
    else if (!(await carryOut(deps.removers, removal, removal.step))) await advance(deps, accountId, removal.step);
  }
}

/** Returns whether anything is left of the step. */
async function carryOut(
  removers: Removers,
  { accountId, successorId }: Removal,
  step: Exclude<RemovalStep, 'account' | 'finished'>,
): Promise<boolean> {
  const notifications = (): Promise<boolean> => removers.notifications(accountId);
  const tasks = (): Promise<boolean> => removers.tasks(accountId, successorId ?? '');
  const parts = {
    tasks,
    notifications,
    profile: async () => {
      await removers.profile(accountId);
      return false;
    },
    late_tasks: tasks,
    late_notifications: notifications,
  };
  return parts[step]();
}

async function advance({ uow }: Needs, accountId: string, step: RemovalStep): Promise<void> {
  const next = removalSteps[removalSteps.indexOf(step) + 1] ?? 'finished';
  crashPoint(`removal.after-step.${step}`);
  await uow.run(({ deletions }) => deletions.advance(accountId, step, next));
}

async function removeRows({ uow }: Needs, accountId: string): Promise<void> {
  await uow.run(async ({ deletions, audit }) => {
    if (!(await deletions.advance(accountId, 'account', 'finished'))) return;
    await deletions.removeAccount(accountId);
    await audit.add({ action: 'account_deleted', ...ofAccount({ id: accountId }) });
    crashPoint('removal.before-commit');
  });
  crashPoint('removal.after-commit');
}
