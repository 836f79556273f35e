import { mailKindToNumber } from '#contract/scheduler/v1/mails';
import { runStatement, type EntityManager, type Statement } from '#libs/db';
import type { BegunMail, MailBeginning, MailEnd, MailRepository, MailRun } from '../../domain/mails/mail.repository.ts';
import { createJobRows, toPending } from '../jobs/job-rows.ts';
import { before, hasOpenDeadLetter, prunes } from '../pruning.ts';

const unfinished = `state in ('pending', 'in-doubt')`;

/** Which mails wait for a job. */
export const waitingMails = `${unfinished} and job_id is null and next_attempt_time <= clock_timestamp()`;

const add: Statement = {
  name: 'add_mail',
  text: `
    insert into mails (id, kind, state, next_attempt_time, call_id, trace_parent, create_time)
    values ($1, $2, 'pending', clock_timestamp(), $3, $4, now()) on conflict (id) do nothing returning id`,
};
const queueText = `
  insert into mails (id, kind, notification_id, recipient_id, state, next_attempt_time, call_id, trace_parent, create_time)
  select uuidv7(), 0, n.id, n.recipient_id, 'pending',
    clock_timestamp() + make_interval(secs => case when n.digest_size > 0 then $2::float8 / 1000 else 0 end), n.call_id, n.trace_parent, now()
  from notifications n where n.id = any ($1::uuid[]) on conflict (notification_id) do nothing returning id`;
const postponeText = `
  update mails set next_attempt_time = clock_timestamp() + make_interval(secs => $2::float8 / 1000)
  where notification_id = any ($1::uuid[]) and state = 'pending' and attempts = 0 and job_id is null`;

const claimText = `
  select id, call_id as "callId", trace_parent as "traceParent" from mails where ${waitingMails}
  order by next_attempt_time, id limit $1 for update skip locked`;
const assignText = `
  update mails m set job_id = job.id, enqueue_time = clock_timestamp()
  from unnest($1::uuid[], $2::text[]) as job (mail_id, id) where m.id = job.mail_id`;
const releaseText = `
  update mails set job_id = null, enqueue_time = null where job_id = any ($1::text[]) and ${unfinished} returning id`;
const effectsText = `select id, state, enqueue_time, finish_time, call_id, attempts from mails where job_id = $1 limit $2`;

// Attempts of one recipient begin one after the other, so that each sees those before it. One that is under way counts as sent.
// Where there are as many under way, how they end is not known: so it looks again soon.
const takeTurnText = `select pg_advisory_xact_lock(hashtextextended('mails of ' || $1::text, 0))`;
const crowdedText = `
  select coalesce((array_agg(finish_time order by finish_time desc nulls first))[$2::int] + interval '1 hour', clock_timestamp() + interval '5 seconds') as "freeTime"
  from (
    select finish_time from mails
    where recipient_id = $1::uuid and id <> $3::uuid and (state = 'sent' or attempt_time is not null)
      and (finish_time is null or finish_time > clock_timestamp() - interval '1 hour')
    order by finish_time desc nulls first limit $2::int) recent
  having count(*) >= $2::int`;
const postponeMailText = `
  update mails set job_id = null, enqueue_time = null, recipient_id = $3::uuid, next_attempt_time = $4::timestamptz
  where id = $1 and job_id = $2 and state = 'pending'`;
const beginText = `
  update mails set attempts = attempts + 1, attempt_time = clock_timestamp(), recipient_id = coalesce($4::uuid, recipient_id), first_attempt_time = coalesce(first_attempt_time, clock_timestamp())
  where id = $1 and job_id = $2 and attempts = $3 and state = 'pending' returning attempts, first_attempt_time::text as "firstAttemptTime"`;

const doubtText = `
  update mails set state = 'in-doubt' where id = $1 and job_id = $2 and attempts = $3 and state = 'pending' returning id`;
// An administrator's dead letter does not undo what a frozen process has seen accepted.
const endText = `
  update mails set state = $3, attempt_time = null, last_code = $4::int, last_error = $5, next_attempt_time = $6::timestamptz,
    finish_time = case when $3 <> 'pending' then clock_timestamp() end,
    job_id = case when $3 <> 'pending' then job_id end, enqueue_time = case when $3 <> 'pending' then enqueue_time end
  where id = $1 and attempts = $2 and (${unfinished} or state = 'dead' and $3 = 'sent') returning id`;
const buryText = `
  update mails set state = 'dead', attempt_time = null, last_error = $2, next_attempt_time = null, finish_time = clock_timestamp()
  where id = $1 and ${unfinished}`;
const reviveText = `
  update mails set state = 'pending', job_id = null, enqueue_time = null, finish_time = null, first_attempt_time = null,
    next_attempt_time = clock_timestamp()
  where id = $1 and state = 'dead' returning id`;

const pruneText = `
  delete from mails where id = any (array(
    select x.id from mails x where x.finish_time < ${before('$1')} and (x.state <> 'dead' or not ${hasOpenDeadLetter('mails')})
    order by x.finish_time limit $2 for update skip locked))
  returning 1`;

type Run = <Row>(statement: string | Statement, parameters: unknown[]) => Promise<Row[]>;

/** When the recipient may get another mail; undefined: now. */
async function findFreeTime(
  run: Run,
  { mailId }: MailRun,
  { recipientId, maxPerHour }: MailBeginning,
): Promise<Date | undefined> {
  if (recipientId === undefined || maxPerHour === undefined) return undefined;
  await run(takeTurnText, [recipientId]);
  const [row] = await run<{ freeTime: Date }>(crowdedText, [recipientId, maxPerHour, mailId]);
  return row?.freeTime;
}

async function begin(run: Run, ours: MailRun, beginning: MailBeginning): Promise<BegunMail> {
  const { mailId, jobId } = ours;
  const { attempts, recipientId = null } = beginning;
  const freeTime = await findFreeTime(run, ours, beginning);
  if (freeTime !== undefined) {
    await run(postponeMailText, [mailId, jobId, recipientId, freeTime]);
    return { outcome: 'postponed' };
  }
  const [row] = await run<{ attempts: number; firstAttemptTime: string }>(beginText, [
    mailId,
    jobId,
    attempts,
    recipientId,
  ]);
  if (row === undefined) return { outcome: 'lost' };
  return { outcome: 'begun', attempts: row.attempts, firstAttemptTime: new Date(row.firstAttemptTime) };
}

async function claim(run: Run, limit: number, newJobId: () => string) {
  const rows = await run<{ id: string; callId: string; traceParent: string }>(claimText, [limit]);
  const runs = rows.map(({ id: mailId, ...origin }) => ({ mailId, jobId: newJobId(), ...origin }));
  if (runs.length > 0) await run(assignText, [runs.map(({ mailId }) => mailId), runs.map(({ jobId }) => jobId)]);
  return runs;
}

const toParameters = ({ state, code, error, retryTime }: MailEnd): unknown[] => [
  state,
  code ?? null,
  error,
  retryTime ?? null,
];

/** While mails are off, those that are kept get no jobs. */
export function createMailRepository(em: EntityManager, { mailsOn }: { mailsOn: boolean }): MailRepository {
  const run: Run = (statement, parameters) => runStatement(em, statement, parameters);
  return {
    ...createJobRows(em, 'mail', { table: 'mails', pending: unfinished, effects: effectsText }),
    add: async ({ mailId, kind, callId, traceParent }) =>
      (await run(add, [mailId, mailKindToNumber(kind), callId, traceParent])).length === 1,
    queue: async (notificationIds, digestQuietMs) =>
      notificationIds.length === 0 ? 0 : (await run(queueText, [notificationIds, digestQuietMs])).length,
    postponeDigests: async (notificationIds, digestQuietMs) => {
      if (notificationIds.length > 0) await run(postponeText, [notificationIds, digestQuietMs]);
    },
    claim: async (limit, newJobId) => (mailsOn ? claim(run, limit, newJobId) : []),
    release: async (jobIds) => (await run(releaseText, [jobIds])).length,
    begin: (ours, beginning) => begin(run, ours, beginning),
    doubt: async ({ mailId, jobId }, attempts) => (await run(doubtText, [mailId, jobId, attempts])).length === 1,
    end: async (mailId, attempts, end) => (await run(endText, [mailId, attempts, ...toParameters(end)])).length === 1,
    bury: async (mailId, error) => void (await run(buryText, [mailId, error])),
    revive: async (mailId) => toPending('mail', await run<{ id: string }>(reviveText, [mailId])),
    prune: prunes(em, pruneText),
  };
}
