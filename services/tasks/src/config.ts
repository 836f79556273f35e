import { policies } from '#libs/contract';
import { limitsEntries, toLimitsConfig, type LimitsConfig } from '#libs/limits';
import { addressType, envTypes, loadConfig, loadServiceConfig, type ServiceConfig } from '#libs/runtime';

export interface TasksConfig extends ServiceConfig {
  limits: LimitsConfig;
  /** Where access keys are fetched. */
  authAddress: string;
  /** Names and existence of people. */
  usersAddress: string;
  pageTokenKey: Buffer;
  /** How long a deleted task can be brought back. */
  retentionDays: number;
  /** How long the history and the feed reach back. */
  eventRetentionDays: number;
}

const entries = {
  TASKFLOW_AUTH_ADDRESS: addressType('auth'),
  TASKFLOW_USERS_ADDRESS: addressType('users'),
  TASKFLOW_PAGE_TOKEN_KEY: envTypes.key32(),
  TASKFLOW_TASKS_RETENTION_DAYS: envTypes.positiveInt(30, 36_500),
  TASKFLOW_TASKS_EVENT_RETENTION_DAYS: envTypes.positiveInt(90, 36_500),
};

/** Throws ConfigError with every fault at once. */
export function readConfig(env: NodeJS.ProcessEnv = process.env): TasksConfig {
  const { common, own } = loadServiceConfig('tasks', { ...limitsEntries(policies, env), ...entries }, env);
  return {
    ...common,
    limits: toLimitsConfig(own),
    authAddress: own.TASKFLOW_AUTH_ADDRESS,
    usersAddress: own.TASKFLOW_USERS_ADDRESS,
    pageTokenKey: own.TASKFLOW_PAGE_TOKEN_KEY,
    retentionDays: own.TASKFLOW_TASKS_RETENTION_DAYS,
    eventRetentionDays: own.TASKFLOW_TASKS_EVENT_RETENTION_DAYS,
  };
}

/** A migration needs nothing but the database. */
export function readDatabaseUrl(env: NodeJS.ProcessEnv = process.env): string {
  return loadConfig({ TASKFLOW_TASKS_DATABASE_URL: envTypes.url('postgres:', 'postgresql:') }, env).TASKFLOW_TASKS_DATABASE_URL;
}
