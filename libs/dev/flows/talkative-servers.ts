import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { queryDatabase, startInfrastructure, type Infrastructure } from '#dev/cluster';

/** Servers of their own that write down as much as an operator can ask of them. */
export interface TalkativeServers extends Pick<Infrastructure, 'postgresAdminUrl' | 'redisUrl' | 'stop'> {
  /** Everything that PostgreSQL has logged: each statement, each error with all its parts. */
  readPostgresLog(): string;
  /** Everything that Redis has logged, and every command that it got. */
  readRedis(): string;
}

/** Of all roles; what provisioning has set for the services' own holds against it. */
const postgresSettings = [
  `log_statement = 'all'`,
  'log_min_duration_statement = 0',
  'log_parameter_max_length = -1',
  'log_parameter_max_length_on_error = -1',
  'log_min_error_statement = debug5',
  'log_error_verbosity = verbose',
  'log_lock_waits = on',
];

export async function startTalkativeServers(): Promise<TalkativeServers> {
  const infrastructure = await startInfrastructure();
  const { dir, postgresAdminUrl, redisUrl } = infrastructure;
  for (const setting of postgresSettings) await queryDatabase(postgresAdminUrl, `alter system set ${setting}`);
  await queryDatabase(postgresAdminUrl, 'select pg_reload_conf()');

  const redis = new Redis(redisUrl);
  await redis.config('SET', 'loglevel', 'debug');
  const commands: string[] = [];
  const monitor = await redis.monitor();
  monitor.on('monitor', (_time: string, command: string[]) => commands.push(command.join(' ')));
  return {
    postgresAdminUrl,
    redisUrl,
    readPostgresLog: () => readFileSync(join(dir, 'postgres', 'postgres.log'), 'utf8'),
    readRedis: () => [readFileSync(join(dir, 'redis', 'redis.log'), 'utf8'), ...commands].join('\n'),
    stop: async () => {
      monitor.disconnect();
      redis.disconnect();
      await infrastructure.stop();
    },
  };
}
