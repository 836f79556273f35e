import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { waitUntil } from '#dev/cluster';
import { startMailCluster, type MailUser } from './mail-cluster.ts';

const ordersFile = join(process.env['TASKFLOW_TEST_DIR'] ?? '', `mail-orders-${process.pid}`);
const service = await startMailCluster({ replicas: { scheduler: 2 }, env: { TASKFLOW_CRASH_FILE: ordersFile } });
const { server } = service;
// Only the last test needs the second one.
await service.cluster.kill('scheduler', 'SIGTERM', 1);
afterAll(async () => {
  rmSync(ordersFile, { force: true });
  await service.stop();
});

const bob = await service.newUser('Bob');
const assign = (user: MailUser) => service.createTask(bob, { title: 'a task', assigneeId: user.userId });
const untilState = (user: MailUser, wanted: string) =>
  waitUntil(
    () => service.rowsOf(user),
    ([row]) => row?.state === wanted,
  );
const endedOf = (user: MailUser) => server.ended.filter(({ recipients }) => recipients.includes(user.email));

/** The only scheduler dies by SIGKILL at the point, while it sends a mail to somebody new, and is started again. */
async function crashAt(point: string, { emptyRedis = false } = {}): Promise<MailUser> {
  const ada = await service.newReader('Ada');
  writeFileSync(ordersFile, point);
  await assign(ada);
  await waitUntil(() => service.cluster.pid('scheduler') === undefined);
  if (emptyRedis) await service.flushRedis();
  await service.cluster.start('scheduler');
  return ada;
}

async function retryDeadJob(mailId: string | undefined): Promise<string> {
  const { deadJobs } = await service.scheduler.listDeadJobs({ queue: 'mails' }, service.admin.as);
  const letter = deadJobs.find(({ payload }) => (payload as { mailId?: string }).mailId === mailId);
  await service.scheduler.retryDeadJob({ deadJobId: letter?.id ?? '' }, service.admin.as);
  return letter?.error ?? '';
}

describe('a mail whose process is killed', () => {
  it.each([
    ['mail.before-message', false],
    ['mail.before-message', true],
    ['mail.before-doubt', false],
    ['claim.after-commit.send-mail', false],
    ['enqueue.after.send-mail', true],
  ])(
    'at %s (Redis emptied: %s), before the end of the message, is sent once by the next',
    async (point, emptyRedis) => {
      const ada = await crashAt(point, { emptyRedis });
      await untilState(ada, 'sent');
      expect(endedOf(ada)).toHaveLength(1);
      expect(service.mailsOf(ada)).toHaveLength(1);
    },
    300_000,
  );

  it.each([
    ['mail.after-doubt', false, 0],
    ['mail.after-doubt', true, 0],
    ['mail.after-answer', false, 1],
    ['mail.after-answer', true, 1],
  ])(
    'at %s (Redis emptied: %s), when the server may have it, is not sent again until an administrator says so',
    async (point, emptyRedis, arrived) => {
      const ada = await crashAt(point, { emptyRedis });
      const [row] = await untilState(ada, 'dead');
      expect(row).toMatchObject({ attempts: 1, error: expect.stringContaining('may have accepted the mail') });
      expect(service.mailsOf(ada)).toHaveLength(arrived);
      expect(await retryDeadJob(row?.id)).toBe(row?.error);
      await untilState(ada, 'sent');
      expect(service.mailsOf(ada)).toHaveLength(arrived + 1);
      // Whoever gets it twice sees that it is the same one.
      expect(new Set(service.mailsOf(ada).map(({ messageId }) => messageId)).size).toBe(1);
    },
    300_000,
  );

  it('after its end was recorded is sent once', async () => {
    const ada = await crashAt('mail.after-record');
    await untilState(ada, 'sent');
    const eve = await service.newReader('Eve');
    await assign(eve);
    await service.untilMails(eve, 1);
    expect(endedOf(ada)).toHaveLength(1);
  }, 300_000);
});

describe('a process that is frozen before the end of a mail, past the lock of its job, and thawed', () => {
  it('leaves the mail to the process that has sent it meanwhile', async () => {
    const ada = await service.newReader('Ada');
    writeFileSync(ordersFile, 'mail.before-doubt SIGSTOP');
    await assign(ada);
    await waitUntil(
      () => service.rowsOf(ada),
      ([row]) => row?.attempts === 1,
    );
    await service.cluster.start('scheduler', 1);
    await untilState(ada, 'sent');
    await service.cluster.kill('scheduler', 'SIGCONT', 0);
    const eve = await service.newReader('Eve');
    await assign(eve);
    await service.untilMails(eve, 1);
    expect(service.mailsOf(ada)).toHaveLength(1);
    expect(await service.rowsOf(ada)).toMatchObject([{ state: 'sent', attempts: 2 }]);
  }, 300_000);
});
