import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import envPaths from 'env-paths';
import type { ServiceName } from '#client/index';
import { Failure, UsageError } from '../faults.ts';

/** How one cluster is reached. Sessions are kept for each profile. */
export interface Profile {
  /** One gRPC address of all services, such as that of an ingress. */
  address?: string;
  /** The address of the gateway, where gRPC cannot pass. */
  gateway?: string;
  /** The gRPC addresses of the services, where each has one of its own. */
  addresses?: Partial<Record<ServiceName, string>>;
  /** A file with the authority of the services' certificates, when no system knows it. */
  ca?: string;
  /** Of days and times; that of the machine without it. */
  timeZone?: string;
  /** Where the session is kept; decided by the last login. */
  store?: 'keyring' | 'file';
}

interface Config {
  /** The profile that commands take when none is named. */
  profile?: string;
  profiles?: Record<string, Profile>;
}

const folders = envPaths('taskflow', { suffix: '' });
const configFile = join(folders.config, 'config.json');

export const sessionsFolder = join(folders.data, 'sessions');
export const defaultProfile = 'default';

function readConfig(): Config {
  try {
    return JSON.parse(readFileSync(configFile, 'utf8')) as Config;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return {};
    throw new Failure(`${configFile}: ${(error as Error).message}`);
  }
}

function writeConfig(config: Config): void {
  const unfinished = `${configFile}.${process.pid}`;
  mkdirSync(dirname(configFile), { recursive: true, mode: 0o700 });
  writeFileSync(unfinished, `${JSON.stringify(config, undefined, 2)}\n`, { mode: 0o600 });
  renameSync(unfinished, configFile);
}

const known = ({ profiles = {} }: Config): Record<string, Profile> => ({ [defaultProfile]: {}, ...profiles });

/** The profile of `--profile`, TASKFLOW_PROFILE or `taskflow profile use`. Throws UsageError for an unknown one. */
export function findProfile(asked: string | undefined): { name: string; profile: Profile } {
  const config = readConfig();
  const name = asked ?? (process.env['TASKFLOW_PROFILE'] || config.profile) ?? defaultProfile;
  const profiles = known(config);
  const profile = Object.hasOwn(profiles, name) ? profiles[name] : undefined;
  if (profile === undefined)
    throw new UsageError(`there is no profile "${name}": make it by "taskflow profile set ${name} …"`);
  return { name, profile };
}

export function listProfiles(): { current: string; profiles: Record<string, Profile> } {
  const config = readConfig();
  return { current: (process.env['TASKFLOW_PROFILE'] || config.profile) ?? defaultProfile, profiles: known(config) };
}

/** Names become names of files. */
const profileName = /^[a-z0-9][a-z0-9_-]{0,39}$/;

export function writeProfile(name: string, profile: Profile): void {
  if (!profileName.test(name))
    throw new UsageError(`profile "${name}": takes up to 40 of a-z, 0-9, _ and -, and begins with a letter or digit`);
  const config = readConfig();
  writeConfig({ ...config, profiles: { ...config.profiles, [name]: profile } });
}

export function removeProfile(name: string): void {
  const config = readConfig();
  const profiles = { ...config.profiles };
  delete profiles[name];
  const { profile, ...others } = config;
  writeConfig({ ...others, ...(profile !== undefined && profile !== name && { profile }), profiles });
}

export function useProfile(name: string): void {
  findProfile(name);
  writeConfig({ ...readConfig(), profile: name });
}
