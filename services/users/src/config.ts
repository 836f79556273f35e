import { policies } from '#libs/contract';
import { limitsEntries, toLimitsConfig, type LimitsConfig } from '#libs/limits';
import { addressType, envTypes, loadConfig, loadServiceConfig, type ServiceConfig } from '#libs/runtime';

export interface UsersConfig extends ServiceConfig {
  limits: LimitsConfig;
  /** Where access keys are fetched. */
  authAddress: string;
  pageTokenKey: Buffer;
}

/** Throws ConfigError with every fault at once. */
export function readConfig(env: NodeJS.ProcessEnv = process.env): UsersConfig {
  const { common, own } = loadServiceConfig(
    'users',
    { ...limitsEntries(policies, env), TASKFLOW_AUTH_ADDRESS: addressType('auth'), TASKFLOW_PAGE_TOKEN_KEY: envTypes.key32() },
    env,
  );
  return { ...common, limits: toLimitsConfig(own), authAddress: own.TASKFLOW_AUTH_ADDRESS, pageTokenKey: own.TASKFLOW_PAGE_TOKEN_KEY };
}

/** A migration needs nothing but the database. */
export function readDatabaseUrl(env: NodeJS.ProcessEnv = process.env): string {
  return loadConfig({ TASKFLOW_USERS_DATABASE_URL: envTypes.url('postgres:', 'postgresql:') }, env).TASKFLOW_USERS_DATABASE_URL;
}
