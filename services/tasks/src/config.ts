import { policies } from '#libs/contract';
import { limitsEntries, toLimitsConfig, type LimitsConfig } from '#libs/limits';
import { addressType, envTypes, loadServiceConfig, type ServiceConfig } from '#libs/runtime';

export interface TasksConfig extends ServiceConfig {
  limits: LimitsConfig;
  /** Where access keys are fetched and invitations are mailed. */
  authAddress: string;
  /** Whether the installation sends mail, without which nobody can be invited. */
  sendsMail: boolean;
  /** The service that knows names and existence of people. */
  usersAddress: string;
  /** The newest key seals, all of them open. */
  pageTokenKeys: Buffer[];
  /** How long a deleted task can be undeleted. */
  retentionDays: number;
  /** How long the history and the feed reach back. */
  eventRetentionDays: number;
}

const entries = {
  TASKFLOW_AUTH_ADDRESS: addressType('auth'),
  TASKFLOW_USERS_ADDRESS: addressType('users'),
  TASKFLOW_MAIL: envTypes.mailWay(),
  TASKFLOW_PAGE_TOKEN_KEY: envTypes.keys32(),
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
    sendsMail: own.TASKFLOW_MAIL !== 'off',
    pageTokenKeys: own.TASKFLOW_PAGE_TOKEN_KEY,
    retentionDays: own.TASKFLOW_TASKS_RETENTION_DAYS,
    eventRetentionDays: own.TASKFLOW_TASKS_EVENT_RETENTION_DAYS,
  };
}
