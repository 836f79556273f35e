import type { TlsMode } from '#libs/runtime';
import type { Guard } from './guard.ts';
import type { ProgramOptions } from './program.ts';
import type { ProcessName, ServiceName } from './service-names.ts';

export interface ClusterOptions extends Pick<ProgramOptions, 'fromSources'> {
  /** An administrator's URL of the PostgreSQL to create roles and databases in; not needed with `databaseUrls`. */
  readonly postgresAdminUrl?: string;
  readonly redisUrl: string;
  /** For tests that are not about it: databases are copied from migrated ones (`migrated-databases.ts`) instead of provisioned and migrated. */
  readonly copyDatabases?: boolean;
  /** Existing databases: nothing is provisioned, only migrated. */
  readonly databaseUrls?: Record<ServiceName, string>;
  /** Keeps this cluster apart from others on the same servers: part of its database names, its queue prefix, its Redis database. */
  readonly namespace?: string;
  /** Keys, passwords and logs. Left out: a temporary folder that `stop` deletes. */
  readonly dir?: string;
  /** default: 50051… or what `env` says; free: any. */
  readonly ports?: 'default' | 'free';
  /** Settings for all services, over the ones that are made up here. */
  readonly env?: Readonly<Record<string, string>>;
  readonly serviceEnv?: Partial<Record<ProcessName, Readonly<Record<string, string>>>>;
  /** Of single processes, by their labels, over all others. */
  readonly replicaEnv?: Readonly<Record<string, Readonly<Record<string, string>>>>;
  /** Secures connections by certificates of an authority that is made in `dir`. `env` may name others. */
  readonly tls?: TlsMode | undefined;
  /** How many processes of a service; 1 when left out. */
  readonly replicas?: Partial<Record<ProcessName, number>>;
  /** Puts something between the services and a service that they call, for each of its replicas: the address to call instead. */
  readonly route?: (callee: ServiceName, address: string) => Promise<string>;
  /** Only these processes; the four services when left out. */
  readonly services?: readonly ProcessName[];
  readonly guard?: Guard;
  /** The checkout whose services are started. */
  readonly root?: string;
  /** Receives a line for each step. */
  readonly report?: (line: string) => void;
  /** Breaks the start off; whatever was started by then is stopped. */
  readonly signal?: AbortSignal;
  /** Called when a service has ended by itself. */
  readonly onLoss?: (label: string, how: string) => void;
}
