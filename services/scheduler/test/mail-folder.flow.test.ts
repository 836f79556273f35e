import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from '@jest/globals';
import { simpleParser } from 'mailparser';
import { waitUntil } from '#dev/cluster';
import { startMailCluster } from './mail-cluster.ts';

const folder = mkdtempSync(join(process.env['TASKFLOW_TEST_DIR'] ?? tmpdir(), 'mails-'));
const service = await startMailCluster({
  env: { TASKFLOW_MAIL: 'folder', TASKFLOW_SCHEDULER_MAIL_FOLDER: folder },
});
afterAll(async () => {
  await service.stop();
  rmSync(folder, { recursive: true });
});

it('where mails go into a folder, each is a file that people can read, and the log says only which', async () => {
  const ada = await service.newReader('Ada');
  const bob = await service.newUser('Bob');
  const task = await service.createTask(bob, { title: 'Water the plants', assigneeId: ada.userId });
  const [row] = await waitUntil(
    () => service.rowsOf(ada),
    ([one]) => one?.state === 'sent',
  );
  const file = join(folder, `${row?.id}.eml`);
  expect(readdirSync(folder)).toEqual([`${row?.id}.eml`]);
  const text = readFileSync(file, 'utf8');
  expect(text).toContain(`https://tasks.example.com/tasks?task=${task.id}`);
  expect((await simpleParser(text)).subject).toBe('Assigned to you: Water the plants');
  const line = await waitUntil(
    () =>
      service.cluster
        .logs('scheduler')
        .split('\n')
        .find((each) => each.includes('mail written')),
    (found) => found !== undefined,
  );
  expect(JSON.parse(line ?? '{}')).toMatchObject({ path: file });
  expect(service.cluster.logs('scheduler')).not.toContain('Water the plants');
});
