import { policies } from '#libs/contract';
import { limitsEntries, toLimitsConfig, type LimitsConfig } from '#libs/limits';
import { addressType, envTypes, loadServiceConfig, type ServiceConfig } from '#libs/runtime';

export interface UsersConfig extends ServiceConfig {
  limits: LimitsConfig;
  /** Where access keys are fetched. */
  authAddress: string;
  /** Who shares a task with whom. */
  tasksAddress: string;
  /** Whether people who have not chosen may be found by e-mail. */
  discoverable: boolean;
  /** The newest seals, all of them open. */
  pageTokenKeys: Buffer[];
  /** Whether mails are sent, which the scheduler does. */
  mailsOn: boolean;
}

/** Throws ConfigError with every fault at once. */
export function readConfig(env: NodeJS.ProcessEnv = process.env): UsersConfig {
  const { common, own } = loadServiceConfig(
    'users',
    {
      ...limitsEntries(policies, env),
      TASKFLOW_AUTH_ADDRESS: addressType('auth'),
      TASKFLOW_TASKS_ADDRESS: addressType('tasks'),
      TASKFLOW_USERS_DISCOVERABLE: envTypes.oneOf(['off', 'on'], 'off'),
      TASKFLOW_PAGE_TOKEN_KEY: envTypes.keys32(),
      TASKFLOW_MAIL: envTypes.mailWay(),
    },
    env,
  );
  return {
    ...common,
    limits: toLimitsConfig(own),
    authAddress: own.TASKFLOW_AUTH_ADDRESS,
    tasksAddress: own.TASKFLOW_TASKS_ADDRESS,
    discoverable: own.TASKFLOW_USERS_DISCOVERABLE === 'on',
    pageTokenKeys: own.TASKFLOW_PAGE_TOKEN_KEY,
    mailsOn: own.TASKFLOW_MAIL !== 'off',
  };
}
