import { existsSync, lstatSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { startCliCluster, type CliCluster } from './start-cli.ts';

let cli: CliCluster;

beforeAll(async () => {
  // One export, which asks each of the four services.
  const limits = {
    'taskflow.export.v1.ExportService/ExportMyData': { requests: 4, perSeconds: 3600 },
    '*': 'unlimited',
  };
  cli = await startCliCluster({ env: { TASKFLOW_RATE_LIMITS: JSON.stringify(limits) } });
  await cli.run(['register', 'ada@example.com']);
});

afterAll(() => cli?.stop());

it('writes a file in place of what stood at its unfinished name, and not through a link', async () => {
  const [mine, file] = [join(cli.folder, 'mine.txt'), join(cli.folder, 'tasks.ics')];
  writeFileSync(mine, 'mine');
  symlinkSync(mine, `${file}.part`);

  expect(await cli.run(['export', 'tasks.ics'])).toMatchObject({ code: 0 });
  expect({ mine: readFileSync(mine, 'utf8'), isLink: lstatSync(file).isSymbolicLink() }).toEqual({
    mine: 'mine',
    isLink: false,
  });
});

it('gives up by 8 when a limit would hold an export for long', async () => {
  expect(await cli.run(['export', 'first.jsonl'])).toMatchObject({ code: 0 });
  expect(await cli.run(['export', 'second.jsonl'])).toMatchObject({
    code: 8,
    errors: expect.stringMatching(/RATE_LIMITED[\s\S]*try again in \d{3,} s/),
  });
  expect(existsSync(join(cli.folder, 'second.jsonl'))).toBe(false);
});
