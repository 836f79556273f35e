import { runStatement, type EntityManager } from '#libs/db';

/** What a job is for, as PostgreSQL records it. */
export interface JobEffect {
  kind: 'notification' | 'schedule-run' | 'webhook' | 'webhook-delivery';
  id: string;
  state: string;
}

export interface JobEffectRepository {
  /** Those that died with their job are pending again, as if no job had ever been made for them; returns which. */
  reviveNotifications(ids: string[]): Promise<JobEffect[]>;
  reviveRun(runId: string): Promise<JobEffect[]>;
  /** What is due to it need not wait for the end of a pause. */
  wakeWebhook(webhookId: string): Promise<JobEffect[]>;
}

// The deliveries tell of the death, and their place is needed for what comes of the new job.
const reviveNotificationsText = `
  with revived as (
    update notifications set state = 'pending', job_id = null, enqueue_time = null
    where id in (select id from notifications where id = any ($1::uuid[]) and state = 'dead' order by id for update) returning id),
  forgotten as (delete from deliveries using revived where notification_id = revived.id and outcome = 'dead')
  select id from revived order by id`;

const reviveRunText = `
  update schedule_runs set state = 'pending', job_id = null, enqueue_time = null, result = '', finish_time = null
  where id = $1 and state = 'dead' returning id`;

const wakeWebhookText = `
  update webhooks set next_run_time = clock_timestamp() where id = $1 and state = 'enabled' and job_id is null returning id`;

export function createJobEffectRepository(em: EntityManager): JobEffectRepository {
  const toEffects = (kind: JobEffect['kind'], rows: { id: string }[]): JobEffect[] => rows.map(({ id }) => ({ kind, id, state: 'pending' }));
  return {
    reviveNotifications: async (ids) => toEffects('notification', await runStatement<{ id: string }>(em, reviveNotificationsText, [ids])),
    wakeWebhook: async (webhookId) => toEffects('webhook', await runStatement<{ id: string }>(em, wakeWebhookText, [webhookId])),
    reviveRun: async (runId) => toEffects('schedule-run', await runStatement<{ id: string }>(em, reviveRunText, [runId])),
  };
}
