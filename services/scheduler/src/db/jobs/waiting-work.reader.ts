import type { SqlReader, Statement } from '#libs/db';
import type { WaitingWork, WaitingWorkReader } from '../../domain/jobs/waiting-work.reader.ts';
import { waitingMails } from '../mails/mail.repository.ts';
import { waitingNotifications } from '../notifications/notification.repository.ts';
import { waitingRuns } from '../schedules/schedule-run.repository.ts';
import { dueSchedules } from '../schedules/schedule.repository.ts';
import { waitingWebhooks } from '../webhooks/webhook-run.repository.ts';

// Each part is a look at the beginning of one small index.
const waiting = (mailsOn: boolean): Statement => ({
  name: mailsOn ? 'waiting_work_and_mails' : 'waiting_work',
  text: `
    select array(select queue from queue_holds) as "pausedQueues",
      exists (select from schedules where ${dueSchedules}) as schedules,
      exists (select from notifications where ${waitingNotifications.forPlan}) as plans,
      exists (select from notifications where ${waitingNotifications.forJob})
        or exists (select from webhooks where ${waitingWebhooks})${mailsOn ? ` or exists (select from mails where ${waitingMails})` : ''}
        or exists (select from schedule_runs r where ${waitingRuns}) as jobs`,
});

export function createWaitingWorkReader(reader: SqlReader, { mailsOn }: { mailsOn: boolean }): WaitingWorkReader {
  const statement = waiting(mailsOn);
  return async () => {
    const [row] = await reader.query<Omit<WaitingWork, 'pausedQueues'> & { pausedQueues: string[] }>(statement, []);
    if (row === undefined) throw new Error('a row without a table is always there');
    return { ...row, pausedQueues: new Set(row.pausedQueues) };
  };
}
