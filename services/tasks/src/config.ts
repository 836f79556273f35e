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
}

const entries = {
  TASKFLOW_AUTH_ADDRESS: addressType('auth'),
  TASKFLOW_USERS_ADDRESS: addressType('users'),
  TASKFLOW_PAGE_TOKEN_KEY: envTypes.key32(),
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
  };
}

/** A migration needs nothing but the database. */
export function readDatabaseUrl(env: NodeJS.ProcessEnv = process.env): string {
  return loadConfig({ TASKFLOW_TASKS_DATABASE_URL: envTypes.url('postgres:', 'postgresql:') }, env).TASKFLOW_TASKS_DATABASE_URL;
}
