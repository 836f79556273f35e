import { spawnSync } from 'node:child_process';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { programOf } from '#dev/cluster';
import { openAuditDatabase, type AuditDatabase } from './fixture/audit-database.ts';

let used: AuditDatabase;
beforeAll(async () => {
  used = await openAuditDatabase();
  for (const action of ['one', 'two', 'three']) await used.log.record({ action });
  await used.log.settle();
});
afterAll(() => used.drop());

async function verify(env: Record<string, string>): Promise<{ status: number | null; lines: string[] }> {
  const program = await programOf('libs/audit/bin/verify-audit.ts');
  const { status, stdout } = spawnSync(process.execPath, [...program.execArgv, program.script], {
    env: { ...program.env, ...env },
    encoding: 'utf8',
  });
  return { status, lines: stdout.trimEnd().split('\n') };
}

it('tells how many events it read and where the chain ends, and then names what was done to it', async () => {
  const env = { TASKFLOW_USERS_DATABASE_URL: used.url };
  const whole = await verify(env);
  expect(whole).toEqual({
    status: 0,
    lines: [expect.stringMatching(/^users: 3 events, 0 findings, head 3 [0-9a-f]{64}$/)],
  });
  await used.tamper("update audit.chain set action = 'other' where position = 2");
  expect(await verify(env)).toEqual({
    status: 1,
    lines: [
      expect.stringMatching(/^users: event 2 \([0-9a-f-]{36}, other\) was changed or inserted/),
      expect.stringMatching(/^users: 3 events, 1 findings, head 3 /),
    ],
  });
});

it('fails with the name of the database that it cannot read, and without any', async () => {
  const gone = Object.assign(new URL(used.url), { port: '1' }).href;
  expect(await verify({ TASKFLOW_TASKS_DATABASE_URL: gone })).toEqual({
    status: 1,
    lines: [expect.stringMatching(/^tasks: could not be verified: /)],
  });
  expect(await verify({})).toEqual({ status: 1, lines: [expect.stringMatching(/^no database: set TASKFLOW_AUTH_/)] });
});
