import { policies } from '#libs/contract';
import { limitsEntries, toLimitsConfig, type LimitsConfig } from '#libs/limits';
import { addressType, envTypes, loadServiceConfig, type ServiceConfig } from '#libs/runtime';
import { z } from 'zod';
import type { Retention } from './domain/events/retention.ts';
import { mailEntries, toMailConfig, type MailConfig } from './mail-config.ts';
import { isCidr } from './domain/webhooks/webhook-target.ts';

export interface SchedulerConfig extends ServiceConfig {
  limits: LimitsConfig;
  /** Where access keys are fetched. */
  authAddress: string;
  /** Where tasks are swept, events pulled and states asked for. */
  tasksAddress: string;
  /** Where people's settings are asked for. */
  usersAddress: string;
  /** The queues' Redis. */
  redisUrl: string;
  /** The first part of every key in Redis. */
  queuePrefix: string;
  /** The newest seals, all of them open. */
  pageTokenKeys: Buffer[];
  sweepIntervalMs: number;
  /** More overdue tasks of one user than this at once become one message. */
  digestThreshold: number;
  /** How long a digest takes in more after it last grew; then it is sent. */
  digestQuietMs: number;
  /** Whether the HTTP port shows the queues to administrators. */
  /** The newest seals the secrets of webhooks, all of them open. */
  encryptionKeys: Buffer[];
  retention: Retention;
  /** Undefined: no mails are sent. */
  mail: MailConfig | undefined;
  webhooks: {
    /** CIDRs that are not public and may be sent to all the same. */
    privateTargets: string[];
    /** For one try. */
    timeoutMs: number;
    /** The pause after the first failure. */
    firstPauseMs: number;
    /** How long a message is tried before it is given up. */
    giveUpMs: number;
  };
}

const queuePrefix = z
  .string()
  .regex(/^[A-Za-z0-9_-]{1,100}$/, 'must have 1 to 100 characters from A-Z a-z 0-9 _ -')
  .default('taskflow');

const dayMs = 86_400_000;
const days = (fallback: number) => envTypes.positiveInt(fallback, 36_500);
/** The default depends on the environment. */

const entries = {
  ...mailEntries,
  TASKFLOW_AUTH_ADDRESS: addressType('auth'),
  TASKFLOW_TASKS_ADDRESS: addressType('tasks'),
  TASKFLOW_USERS_ADDRESS: addressType('users'),
  TASKFLOW_REDIS_URL: envTypes.url('redis:', 'rediss:'),
  TASKFLOW_QUEUE_PREFIX: queuePrefix,
  TASKFLOW_PAGE_TOKEN_KEY: envTypes.keys32(),
  TASKFLOW_SCHEDULER_SWEEP_INTERVAL_MS: envTypes.positiveInt(30_000, 86_400_000),
  TASKFLOW_SCHEDULER_DIGEST_THRESHOLD: envTypes.positiveInt(25, 1_000_000),
  TASKFLOW_SCHEDULER_DIGEST_QUIET_MS: envTypes.positiveInt(10_000, 3_600_000),
  TASKFLOW_SCHEDULER_ENCRYPTION_KEY: envTypes.keys32(),
  TASKFLOW_SCHEDULER_WEBHOOK_PRIVATE_TARGETS: envTypes
    .list()
    .refine((cidrs) => cidrs.every(isCidr), 'must be comma separated CIDRs, such as 127.0.0.0/8'),
  TASKFLOW_SCHEDULER_WEBHOOK_TIMEOUT_MS: envTypes.positiveInt(10_000, 30_000),
  TASKFLOW_SCHEDULER_WEBHOOK_RETRY_MS: envTypes.positiveInt(5_000, 3_600_000),
  TASKFLOW_SCHEDULER_WEBHOOK_GIVE_UP_MS: envTypes.positiveInt(dayMs, 7 * dayMs),
  TASKFLOW_SCHEDULER_NOTIFICATION_RETENTION_DAYS: days(90),
  TASKFLOW_SCHEDULER_DELIVERY_RETENTION_DAYS: days(30),
  TASKFLOW_SCHEDULER_JOB_RETENTION_DAYS: days(30),
  TASKFLOW_SCHEDULER_ADMIN_ACTION_RETENTION_DAYS: days(365),
};

/** Throws ConfigError with every fault at once. */
export function readConfig(env: NodeJS.ProcessEnv = process.env): SchedulerConfig {
  const { common, own } = loadServiceConfig('scheduler', { ...limitsEntries(policies, env), ...entries }, env);
  return {
    ...common,
    limits: toLimitsConfig(own),
    authAddress: own.TASKFLOW_AUTH_ADDRESS,
    tasksAddress: own.TASKFLOW_TASKS_ADDRESS,
    usersAddress: own.TASKFLOW_USERS_ADDRESS,
    redisUrl: own.TASKFLOW_REDIS_URL,
    queuePrefix: own.TASKFLOW_QUEUE_PREFIX,
    pageTokenKeys: own.TASKFLOW_PAGE_TOKEN_KEY,
    sweepIntervalMs: own.TASKFLOW_SCHEDULER_SWEEP_INTERVAL_MS,
    digestThreshold: own.TASKFLOW_SCHEDULER_DIGEST_THRESHOLD,
    digestQuietMs: own.TASKFLOW_SCHEDULER_DIGEST_QUIET_MS,
    encryptionKeys: own.TASKFLOW_SCHEDULER_ENCRYPTION_KEY,
    retention: {
      notificationsMs: own.TASKFLOW_SCHEDULER_NOTIFICATION_RETENTION_DAYS * dayMs,
      deliveriesMs: own.TASKFLOW_SCHEDULER_DELIVERY_RETENTION_DAYS * dayMs,
      jobsMs: own.TASKFLOW_SCHEDULER_JOB_RETENTION_DAYS * dayMs,
      adminActionsMs: own.TASKFLOW_SCHEDULER_ADMIN_ACTION_RETENTION_DAYS * dayMs,
    },
    mail: toMailConfig(own, common.env),
    webhooks: {
      privateTargets: own.TASKFLOW_SCHEDULER_WEBHOOK_PRIVATE_TARGETS,
      timeoutMs: own.TASKFLOW_SCHEDULER_WEBHOOK_TIMEOUT_MS,
      firstPauseMs: own.TASKFLOW_SCHEDULER_WEBHOOK_RETRY_MS,
      giveUpMs: own.TASKFLOW_SCHEDULER_WEBHOOK_GIVE_UP_MS,
    },
  };
}
