import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, describe, expect, it } from '@jest/globals';
import { DeadJobState, JobEffectKind, JobEffectState, JobState } from '#contract/scheduler/v1/jobs';
import { MailKind } from '#contract/scheduler/v1/mails';
import { TaskStatus } from '#contract/tasks/v1/tasks';
import { NotificationChannel } from '#contract/users/v1/users';
import { Webhook } from '#contract/scheduler/v1/notifications';
import { waitUntil } from '#dev/cluster';
import { answering, startReceiver } from '#dev/testing';
import { Redis } from 'ioredis';
import { startMailCluster, type MailUser } from './mail-cluster.ts';
import { untilInbox, untilRows } from './waiting.ts';

const service = await startMailCluster(
  {
    env: {
      TASKFLOW_SCHEDULER_WEBHOOK_PRIVATE_TARGETS: '127.0.0.0/8',
      TASKFLOW_SCHEDULER_DIGEST_THRESHOLD: '3',
      TASKFLOW_SCHEDULER_DIGEST_QUIET_MS: '3000',
      TASKFLOW_SCHEDULER_MAIL_PER_RECIPIENT_AND_HOUR: '4',
    },
  },
  { credentials: { user: 'taskflow', password: 'a pass/word' } },
);
const { server } = service;
afterAll(service.stop);
afterEach(() => server.behave({}));

const bob = await service.newUser('Bob <the builder>');

/** A task of Bob's that he assigns to the user, who hears of it. */
const assign = (user: MailUser, title: string) => service.createTask(bob, { title, assigneeId: user.userId });
const outcomesOf = ({ userId }: MailUser) =>
  service.sql<{ channel: string; outcome: string }>(
    `select d.channel, d.outcome from deliveries d join notifications n on n.id = d.notification_id
     where n.recipient_id = $1 order by d.channel`,
    [userId],
  );
const deadJobOf = async (mailId: string | undefined) => {
  const { deadJobs } = await service.scheduler.listDeadJobs({ queue: 'mails' }, service.admin.as);
  return deadJobs.find(({ payload }) => (payload as { mailId?: string }).mailId === mailId);
};

describe('a notification by mail', () => {
  it('says what happened, to whom and by whom, with a link, and how to get no more of them', async () => {
    const ada = await service.newReader('Ada "A" Lovelace');
    const task = await assign(ada, 'Buy <b>milk</b> & "eggs"');
    const [mail] = await service.untilMails(ada, 1);
    expect(mail).toMatchObject({
      from: '"TaskFlow" <taskflow@mail.example.com>',
      subject: 'Assigned to you: Buy <b>milk</b> & "eggs"',
    });
    const link = `https://tasks.example.com/tasks?task=${task.id}`;
    expect(mail?.text).toContain(
      'Hello Ada "A" Lovelace,\n\nBob <the builder> assigned “Buy <b>milk</b> & "eggs"” to you.',
    );
    expect(mail?.text).toContain(link);
    expect(mail?.html).toContain('“Buy &lt;b&gt;milk&lt;/b&gt; &amp; &quot;eggs&quot;”');
    expect(mail?.html).toContain(`href="${link}"`);
    expect(mail?.headers.get('auto-submitted')).toBe('auto-generated');
    expect(mail?.raw).toContain('List-Unsubscribe: <mailto:stop@mail.example.com?subject=unsubscribe>');
    const [row] = await untilRows<{ id: string }>(
      service,
      1,
      "select id from mails where recipient_id = $1 and state = 'sent'",
      [ada.userId],
    );
    expect(mail?.messageId).toBe(`<${row?.id}@mail.example.com>`);
    expect(await outcomesOf(ada)).toEqual([
      { channel: 'email', outcome: 'queued' },
      { channel: 'inbox', outcome: 'muted' },
    ]);
  });

  it('is read well for a change of status and for an overdue task', async () => {
    const ada = await service.newReader('Ada');
    await service.choose(ada, { locale: 'en-GB', timeZone: 'Europe/Berlin' });
    const task = await service.createTask(bob, { title: 'Paint the fence', assigneeId: ada.userId });
    await service.untilMails(ada, 1);
    await service.setStatus(bob, task.id, TaskStatus.IN_PROGRESS);
    await service.untilMails(ada, 2);
    const dueTime = new Date(Date.UTC(2025, 0, 31, 13, 30));
    await service.createTask(ada, { title: 'Call mother', due: { $case: 'dueTime', value: dueTime } });
    await service.sweep();
    await service.untilMails(ada, 3);
    const subjects = service.mailsOf(ada).map(({ subject }) => subject);
    expect(subjects.sort()).toEqual([
      'Assigned to you: Paint the fence',
      'Now in progress: Paint the fence',
      'Overdue: Call mother',
    ]);
    const texts = service.mailsOf(ada).map(({ text }) => text);
    expect(texts.join()).toContain('Bob <the builder> changed “Paint the fence” from pending to in progress.');
    expect(texts.join()).toMatch(/“Call mother” was due on Friday,? 31 January 2025 at 14:30 \(Europe\/Berlin\)\./);
  });

  it('of many overdue tasks is one', async () => {
    const ada = await service.newReader('Ada');
    await service.createOverdue(ada, 7);
    await service.scheduler.pauseQueue({ queue: 'notifications' }, service.admin.as);
    await waitUntil(() => service.metric('taskflow_queue_paused'), 1);
    await service.sweep();
    await untilRows(service, 7, "select 1 from notifications where recipient_id = $1 and state = 'pending'", [
      ada.userId,
    ]);
    await service.scheduler.resumeQueue({ queue: 'notifications' }, service.admin.as);
    const [mail] = await service.untilMails(ada, 1);
    await untilRows(service, 1, "select 1 from mails where recipient_id = $1 and state = 'sent'", [ada.userId]);
    expect(mail?.subject).toBe('7 tasks are overdue');
    expect(mail?.text.match(/^- “task \d”/gm)).toHaveLength(7);
    expect(await service.rowsOf(ada)).toHaveLength(1);
  });

  it('goes to nobody whose address is not verified or whose account is disabled', async () => {
    const both = [NotificationChannel.INBOX, NotificationChannel.EMAIL];
    const unverified = await service.newReader('Ada', both);
    const disabled = await service.newReader('Eve', both);
    for (const user of [unverified, disabled]) await service.createOverdue(user, 1);
    await service.setAccount(unverified, { emailVerified: false });
    await service.setAccount(disabled, { emailVerified: true, enabled: false });
    await service.sweep();
    await untilInbox(service, unverified, 1);
    await untilInbox(service, disabled, 1);
    const outcomes = [await outcomesOf(unverified), await outcomesOf(disabled)].map(([email]) => email?.outcome);
    expect(outcomes).toEqual(['unverified', 'muted']);
    expect([...(await service.rowsOf(unverified)), ...(await service.rowsOf(disabled))]).toEqual([]);
  });

  it('is in the inbox of who wants nothing but mails until the address is verified', async () => {
    const ada = await service.newReader('Ada');
    await service.setAccount(ada, { emailVerified: false });
    const task = await assign(ada, 'before');
    await untilInbox(service, ada, 1);
    const { notifications } = await service.notifications.listNotifications({}, ada.as);
    expect(notifications.map(({ taskId }) => taskId)).toEqual([task.id]);
    expect(await outcomesOf(ada)).toEqual([
      { channel: 'email', outcome: 'unverified' },
      { channel: 'inbox', outcome: 'delivered' },
    ]);
    expect(await service.rowsOf(ada)).toEqual([]);
    await service.setAccount(ada, { emailVerified: true });
    await assign(ada, 'after');
    expect((await service.untilMails(ada, 1)).map(({ subject }) => subject)).toEqual(['Assigned to you: after']);
    expect((await service.notifications.listNotifications({}, ada.as)).notifications).toEqual(notifications);
  });

  it('tells the owner of a webhook that it was switched off', async () => {
    const ada = await service.newReader('Ada', [NotificationChannel.EMAIL, NotificationChannel.WEBHOOK]);
    const receiver = await startReceiver('127.0.0.1');
    receiver.behave(answering(410));
    const webhook = Webhook.fromPartial({ url: receiver.url });
    await service.notifications.createWebhook({ webhook }, ada.as);
    await assign(ada, 'a task');
    const mails = await service.untilMails(ada, 2);
    await receiver.close();
    expect(mails.map(({ subject }) => subject).sort()).toEqual([
      'Assigned to you: a task',
      'One of your webhooks was switched off',
    ]);
  });

  it('is dropped when its recipient turns mails off before it is sent', async () => {
    const ada = await service.newReader('Ada', [NotificationChannel.INBOX, NotificationChannel.EMAIL]);
    server.behave({ onRecipient: () => ({ code: 451, text: 'later' }) });
    await assign(ada, 'a task');
    await waitUntil(
      () => service.rowsOf(ada),
      ([row]) => row?.code === 451,
    );
    await service.choose(ada, { channels: [NotificationChannel.INBOX] });
    await waitUntil(
      () => service.rowsOf(ada),
      ([row]) => row?.state === 'stale',
    );
    expect(service.mailsOf(ada)).toEqual([]);
  });
});

describe('a mail server', () => {
  it('that greylists gets the same mail again, and it arrives once', async () => {
    const ada = await service.newReader('Ada');
    server.behave({ onRecipient: (_, count) => (count < 3 ? { code: 451, text: 'greylisted' } : undefined) });
    await assign(ada, 'a task');
    const [mail, ...others] = await service.untilMails(ada, 1);
    expect(others).toEqual([]);
    const [row] = await waitUntil(
      () => service.rowsOf(ada),
      ([one]) => one?.state === 'sent',
    );
    expect(row).toMatchObject({ attempts: 3, code: 250, error: '' });
    expect(mail?.messageId).toBe(`<${row?.id}@mail.example.com>`);
  });

  it('that refuses a mail makes it a dead letter, which an administrator can send again', async () => {
    const ada = await service.newReader('Ada');
    server.behave({ onRecipient: (address) => ({ code: 550, text: `no mailbox ${address}` }) });
    await assign(ada, 'a task');
    const [row] = await waitUntil(
      () => service.rowsOf(ada),
      ([one]) => one?.state === 'dead',
    );
    const letter = await deadJobOf(row?.id);
    expect(letter).toMatchObject({
      name: 'send-mail',
      state: DeadJobState.OPEN,
      error: 'the mail server answered 550',
    });
    server.behave({});
    const answer = await service.scheduler.retryDeadJob({ deadJobId: letter?.id ?? '' }, service.admin.as);
    expect(answer.effects).toEqual([{ kind: JobEffectKind.MAIL, id: row?.id, state: JobEffectState.PENDING }]);
    expect(await service.untilMails(ada, 1)).toHaveLength(1);
    const [sent] = await service.sql<{ job_id: string }>('select job_id from mails where id = $1', [row?.id]);
    const { job } = await waitUntil(
      () => service.scheduler.getJob({ jobId: sent?.job_id ?? '' }, service.admin.as),
      (answered) => answered.job?.state === JobState.FINISHED,
    );
    expect(job?.effects).toEqual([{ kind: JobEffectKind.MAIL, id: row?.id, state: JobEffectState.SENT }]);
  });

  it('that is away for a while gets the mail when it is back', async () => {
    const ada = await service.newReader('Ada');
    await server.stop();
    await assign(ada, 'a task');
    await waitUntil(
      () => service.rowsOf(ada),
      ([row]) => (row?.attempts ?? 0) > 1,
    );
    await server.restart();
    expect(await service.untilMails(ada, 1)).toHaveLength(1);
  });

  it('that is slow with one mail does not keep the others', async () => {
    const [ada, eve] = [await service.newReader('Ada'), await service.newReader('Eve')];
    const slow = Promise.withResolvers<undefined>();
    server.behave({ onMessage: ({ recipients }) => (recipients.includes(ada.email) ? slow.promise : undefined) });
    await assign(ada, 'a task');
    await waitUntil(() => server.ended.some(({ recipients }) => recipients.includes(ada.email)));
    await assign(eve, 'a task');
    await service.untilMails(eve, 1);
    expect(await service.rowsOf(ada)).toMatchObject([{ state: 'in-doubt' }]);
    slow.resolve(undefined);
    await service.untilMails(ada, 1);
    await untilRows(service, 1, "select 1 from mails where recipient_id = $1 and state = 'sent'", [ada.userId]);
  });

  it('that has accepted a mail while the database was away is believed: the answer is recorded later', async () => {
    const ada = await service.newReader('Ada');
    const locked = Promise.withResolvers<{ release(): Promise<void> }>();
    server.behave({
      onMessage: async ({ recipients }) => {
        if (recipients.includes(ada.email)) locked.resolve(await service.lockTable('mails'));
        return undefined;
      },
    });
    await assign(ada, 'a task');
    const lock = await locked.promise;
    const cut = `
      select pg_terminate_backend(pid) from pg_stat_activity
      where datname = current_database() and wait_event_type = 'Lock' and query ilike '%update mails set state%'`;
    await waitUntil(
      () => service.sql(cut),
      (rows) => rows.length > 0,
    );
    await lock.release();
    await untilRows(service, 1, "select 1 from mails where recipient_id = $1 and state = 'sent'", [ada.userId]);
    expect(service.mailsOf(ada)).toHaveLength(1);
  });

  it('whose answer is lost is not sent the mail again by itself: the dead letter says that it may have arrived', async () => {
    const ada = await service.newReader('Ada');
    server.behave({
      onMessage: async () => {
        await server.stop();
        return undefined;
      },
    });
    await assign(ada, 'a task');
    const [row] = await waitUntil(
      () => service.rowsOf(ada),
      ([one]) => one?.state === 'dead',
    );
    server.behave({});
    await server.restart();
    const letter = await deadJobOf(row?.id);
    expect(letter?.error).toContain('may have accepted the mail');
    expect(service.mailsOf(ada).length).toBeLessThanOrEqual(1);
    expect(server.ended.filter(({ recipients }) => recipients.includes(ada.email))).toHaveLength(1);
  });
});

describe('the rate of one recipient', () => {
  it('keeps mails beyond it waiting, and loses none', async () => {
    const ada = await service.newReader('Ada');
    for (let index = 0; index < 6; index += 1) await assign(ada, `task ${index}`);
    await untilRows(service, 4, "select 1 from mails where recipient_id = $1 and state = 'sent'", [ada.userId]);
    await untilRows(
      service,
      2,
      `select 1 from mails where recipient_id = $1 and state = 'pending' and next_attempt_time > now() + interval '50 minutes'`,
      [ada.userId],
    );
    expect(service.mailsOf(ada)).toHaveLength(4);
    // An hour later.
    await service.sql(
      `update mails set finish_time = finish_time - interval '1 hour', next_attempt_time = now() where recipient_id = $1`,
      [ada.userId],
    );
    expect(new Set((await service.untilMails(ada, 6)).map(({ subject }) => subject)).size).toBe(6);
    expect(service.mailsOf(ada)).toHaveLength(6);
  });
});

describe('a mail that auth has handed over', () => {
  it('is dropped when auth does not know it any more, and nothing of it is kept', async () => {
    const mailId = randomUUID();
    await service.handOver({ mailId, kind: MailKind.PASSWORD_RESET });
    const [row] = await untilRows(service, 1, "select attempts from mails where id = $1 and state = 'stale'", [mailId]);
    expect(row).toEqual({ attempts: 0 });
  });
});

/** All keys of Redis, and all jobs. */
async function readRedis(): Promise<string> {
  const redis = new Redis(service.cluster.redisUrl);
  const keys = await redis.keys('*');
  const hashes = await Promise.all(keys.map((key) => redis.hgetall(key).catch(() => ({}))));
  redis.disconnect();
  return JSON.stringify([keys, hashes]);
}

it('nothing that a mail says is in Redis, in the log or in the tables of mails and dead jobs', async () => {
  const ada = await service.newReader('Ada');
  let inRedis = '';
  server.behave({
    onMessage: async () => {
      inRedis = await readRedis();
      return undefined;
    },
  });
  await assign(ada, 'the secret plan');
  await service.untilMails(ada, 1);
  // Its job was there.
  expect(inRedis).toContain((await service.rowsOf(ada))[0]?.id);
  expect(inRedis).not.toMatch(/the secret plan|@example\.com/);
  expect(service.cluster.logs('scheduler')).not.toMatch(/the secret plan|@example\.com|pass\/word/);
  const rows = await service.sql<{ text: string }>(
    'select m::text as text from mails m union all select d::text from dead_letters d',
  );
  expect(rows.map(({ text }) => text).join('\n')).not.toMatch(/the secret plan|@example\.com/);
});
