import type { JobWork, SchedulerDeps } from '../deps.ts';
import type { DeadLetter } from '../domain/dead-letter.repository.ts';

/** A webhook whose job died of a defect is left alone for this long. */
const webhookPauseMs = 3_600_000;

/** Keeps a job that will not run again, and ends what it was for, so that nobody makes another job for it; in one transaction. */
export async function buryJob({ uow, newId }: Pick<SchedulerDeps, 'uow' | 'newId'>, letter: Omit<DeadLetter, 'id'>, work: JobWork | undefined): Promise<void> {
  await uow.run(async ({ deadLetters, notifications, scheduleRuns, webhookRuns }) => {
    await deadLetters.add({ ...letter, id: newId() });
    if (work === undefined) return;
    const { attempts, error } = letter;
    if ('runId' in work) await scheduleRuns.finish(work.runId, 'dead', error);
    else if ('webhookJobId' in work) await webhookRuns.release([work.webhookJobId], webhookPauseMs);
    else await notifications.bury(work.notificationIds, { attempts, error });
  });
}
