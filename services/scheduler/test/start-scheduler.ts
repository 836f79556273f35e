import { randomBytes } from 'node:crypto';
import { AuditServiceService } from '#contract/audit/v1/audit';
import { NotificationsServiceService } from '#contract/scheduler/v1/notifications';
import { InternalMailsServiceService } from '#contract/scheduler/v1/mails';
import { SchedulerServiceService } from '#contract/scheduler/v1/scheduler';
import { testRedisUrl, waitUntil } from '#dev/cluster';
import type { RunningApp } from '#libs/runtime';
import { nobody, prepareTestService, type TestService } from '#dev/testing';
import { openStub, type Stub } from '#dev/stubs';
import { startApp, type AppOverrides } from '../src/app.ts';
import type { SchedulerConfig } from '../src/config.ts';

export interface TestScheduler extends Pick<
  TestService,
  'logLines' | 'sql' | 'cutDatabase' | 'newUser' | 'tokenFor' | 'asService'
> {
  scheduler: Stub<typeof SchedulerServiceService>;
  notifications: Stub<typeof NotificationsServiceService>;
  audit: Stub<typeof AuditServiceService>;
  internalMails: Stub<typeof InternalMailsServiceService>;
  app: RunningApp;
  stop(): Promise<void>;
}

const dayMs = 86_400_000;

/** The service alone in this process, on a database and keys of its own. */
export async function startScheduler(
  changes: Partial<SchedulerConfig> = {},
  overrides: Pick<AppOverrides, 'lookup'> = {},
): Promise<TestScheduler> {
  const testService = await prepareTestService('scheduler');
  const { logger, accessKeys } = testService;
  const config: SchedulerConfig = {
    ...testService.config,
    authAddress: nobody,
    tasksAddress: nobody,
    usersAddress: nobody,
    redisUrl: testRedisUrl(),
    queuePrefix: testService.config.limits.prefix,
    sweepIntervalMs: 3_600_000,
    digestThreshold: 25,
    digestQuietMs: 10_000,
    mail: undefined,
    encryptionKeys: [randomBytes(32)],
    retention: {
      notificationsMs: 90 * dayMs,
      deliveriesMs: 30 * dayMs,
      jobsMs: 30 * dayMs,
      adminActionsMs: 365 * dayMs,
    },
    webhooks: { privateTargets: [], timeoutMs: 10_000, firstPauseMs: 5_000, giveUpMs: 86_400_000 },
    ...changes,
  };
  const app = await startApp(config, { logger, accessKeys, ...overrides });
  // The first tick declares them, a moment after the start.
  await waitUntil(() => testService.sql('select 1 from schedules'), { length: 2 });
  const scheduler = openStub(SchedulerServiceService, `127.0.0.1:${app.grpcPort}`);
  const notifications = openStub(NotificationsServiceService, `127.0.0.1:${app.grpcPort}`);
  const audit = openStub(AuditServiceService, `127.0.0.1:${app.grpcPort}`);
  const internalMails = openStub(InternalMailsServiceService, `127.0.0.1:${app.grpcPort}`);
  return {
    ...testService,
    scheduler,
    notifications,
    audit,
    internalMails,
    app,
    stop: async () => {
      scheduler.close();
      notifications.close();
      audit.close();
      internalMails.close();
      await app.stop();
      await testService.leave();
    },
  };
}
