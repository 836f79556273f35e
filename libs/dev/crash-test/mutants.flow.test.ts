import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { testPostgresUrl, testRedisUrl } from '#dev/cluster';
import { runMutants } from './mutation-run.ts';
import { mutants } from './mutants.ts';

describe('the crash test', () => {
  it('notices every safeguard that is switched off, and nothing while all are on', async () => {
    const infrastructure = {
      dir: process.env['TASKFLOW_TEST_DIR'] ?? '',
      postgresAdminUrl: testPostgresUrl(),
      redisUrl: testRedisUrl(),
    };
    const { falseAlarms, found } = await runMutants({
      infrastructure,
      seed: 20_260_602,
      copyDatabases: true,
      report: () => undefined,
    });
    expect(falseAlarms).toEqual([]);
    expect(found.filter(({ fault }) => fault === undefined)).toEqual([]);
  }, 600_000);

  it.each(mutants)('finds what it replaces exactly once: $name', ({ file, find, replace }) => {
    const parts = readFileSync(new URL(`../../../${file}`, import.meta.url), 'utf8').split(find);
    expect(parts).toHaveLength(2);
    expect(replace).not.toBe(find);
  });
});
