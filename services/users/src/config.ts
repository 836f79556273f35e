import { policies } from '#libs/contract';
import { limitsEntries, toLimitsConfig, type LimitsConfig } from '#libs/limits';
import { addressType, envTypes, loadServiceConfig, type ServiceConfig } from '#libs/runtime';

export interface UsersConfig extends ServiceConfig {
  limits: LimitsConfig;
  /** Where access keys are fetched. */
  authAddress: string;
  /** The newest seals, all of them open. */
  pageTokenKeys: Buffer[];
}

/** Throws ConfigError with every fault at once. */
export function readConfig(env: NodeJS.ProcessEnv = process.env): UsersConfig {
  const { common, own } = loadServiceConfig(
    'users',
    {
      ...limitsEntries(policies, env),
      TASKFLOW_AUTH_ADDRESS: addressType('auth'),
      TASKFLOW_PAGE_TOKEN_KEY: envTypes.keys32(),
    },
    env,
  );
  return {
    ...common,
    limits: toLimitsConfig(own),
    authAddress: own.TASKFLOW_AUTH_ADDRESS,
    pageTokenKeys: own.TASKFLOW_PAGE_TOKEN_KEY,
  };
}
