import { expect, it } from '@jest/globals';
import { testPostgresUrl, testRedisUrl } from '#dev/cluster';
import { runCrashTest } from './crash-test.ts';

/** `npm run crash-test` plays a hundred; these few keep it working, and meet other points with every seed. */
const rounds = 8;
const seed = 20_260_601;

it(`leaves what its calls explain and nothing else in ${rounds} crashes (seed ${seed})`, async () => {
  const infrastructure = {
    dir: process.env['TASKFLOW_TEST_DIR'] ?? '',
    postgresAdminUrl: testPostgresUrl(),
    redisUrl: testRedisUrl(),
  };
  const { acknowledged, faults, history } = await runCrashTest({
    infrastructure,
    rounds,
    seed,
    copyDatabases: true,
    report: () => undefined,
  });
  expect({ faults, unrecovered: history.filter((round) => round.recoverySeconds === undefined) }).toEqual({
    faults: [],
    unrecovered: [],
  });
  expect(acknowledged(history)).toBeGreaterThanOrEqual(rounds * 3);
}, 900_000);
