import { randomBytes } from 'node:crypto';
import { NotificationsServiceService } from '#contract/scheduler/v1/notifications';
import { SchedulerServiceService } from '#contract/scheduler/v1/scheduler';
import { testRedisUrl, until } from '#libs/devcluster';
import { openPublicClient, type PublicClient } from '#libs/grpc';
import type { RunningApp } from '#libs/runtime';
import { nobody, prepareGrounds, type Grounds } from '../../test/grounds.ts';
import { startApp, type AppOverrides } from '../src/app.ts';
import type { SchedulerConfig } from '../src/config.ts';

export interface TestScheduler extends Pick<Grounds, 'logLines' | 'sql' | 'cutDatabase' | 'newUser' | 'tokenFor'> {
  scheduler: PublicClient<typeof SchedulerServiceService>;
  notifications: PublicClient<typeof NotificationsServiceService>;
  app: RunningApp;
  stop(): Promise<void>;
}

const dayMs = 86_400_000;

/** The service alone in this process, on a database and keys of its own. */
export async function startScheduler(changes: Partial<SchedulerConfig> = {}, overrides: Pick<AppOverrides, 'lookup'> = {}): Promise<TestScheduler> {
  const grounds = await prepareGrounds('scheduler');
  const { logger, accessKeys } = grounds;
  const config: SchedulerConfig = {
    ...grounds.config,
    authAddress: nobody,
    tasksAddress: nobody,
    usersAddress: nobody,
    redisUrl: testRedisUrl(),
    queuePrefix: grounds.config.limits.prefix,
    sweepIntervalMs: 3_600_000,
    digestThreshold: 25,
    digestQuietMs: 10_000,
    board: false,
    encryptionKey: randomBytes(32),
    retention: { notificationsMs: 90 * dayMs, deliveriesMs: 30 * dayMs, jobsMs: 30 * dayMs, adminActionsMs: 365 * dayMs },
    webhooks: { privateTargets: [], timeoutMs: 10_000, firstPauseMs: 5_000, giveUpMs: 86_400_000 },
    ...changes,
  };
  const app = await startApp(config, { logger, accessKeys, ...overrides });
  // The first tick declares them, a moment after the start.
  await until(() => grounds.sql('select 1 from schedules'), (rows) => rows.length === 2);
  const scheduler = openPublicClient(SchedulerServiceService, `127.0.0.1:${app.grpcPort}`);
  const notifications = openPublicClient(NotificationsServiceService, `127.0.0.1:${app.grpcPort}`);
  return {
    ...grounds,
    scheduler,
    notifications,
    app,
    stop: async () => {
      scheduler.close();
      notifications.close();
      await app.stop();
      await grounds.leave();
    },
  };
}
