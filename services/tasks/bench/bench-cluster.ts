import { fileURLToPath } from 'node:url';
import { TasksServiceService } from '#contract/tasks/v1/tasks';
import {
  callOnce,
  countText,
  familyCpuMsOf,
  findPostgres,
  measure,
  readCpuMs,
  startServerProcess,
  type BenchContext,
  type Contender,
  type Entrant,
  type LoadRequest,
  type Measured,
  type MeasuredServer,
  type Pace,
  type ServerProcess,
  type Trial,
  type WorkerOptions,
} from '#dev/bench';
import type { Cluster, ClusterOptions } from '#dev/cluster';
import { queryOnce } from '#dev/testing';
import type { EchoSettings } from './ceilings/echo-server.ts';
import type { PreparedSettings } from './ceilings/prepared-server.ts';
import { fillTasks } from './data/fill.ts';
import { createPeople, type Caller, type People } from './data/people.ts';

export type MethodName = keyof typeof TasksServiceService;

/** A cluster, its people, and the servers that its service is compared with. */
export interface BenchCluster {
  readonly context: BenchContext;
  readonly cluster: Cluster;
  readonly people: People;
  /** The callers that write in measurements. The lists of the others do not change. */
  readonly writers: () => readonly Caller[];
  /** The first process of the service. */
  service(): Contender;
  /** One process of the service, under its own name. */
  replica(index: number, name: string): Contender;
  /** All processes of the service. */
  replicas(): Contender;
  /** Q: bare handler, prepared statements. */
  prepared(): Contender;
  /** E: a bare server that answers these calls with the same messages as the service. The caller stops it. */
  startEcho(calls: Partial<Record<MethodName, LoadRequest>>): Promise<Contender & { stop(): Promise<void> }>;
  /** Fills up to this many tasks. */
  grow(count: number): Promise<void>;
  measure(trial: Trial, pace?: Partial<Pace>): Promise<Measured[][]>;
  stop(): Promise<void>;
}

const scriptOf = (name: string): string => fileURLToPath(new URL(`ceilings/${name}.ts`, import.meta.url));
export const startCeiling = async (
  name: string,
  settings: unknown,
  options: WorkerOptions = {},
): Promise<ServerProcess> => startServerProcess(scriptOf(name), settings, options);
export const pathOf = (method: MethodName): string => TasksServiceService[method].path;

/** Connections to the database of the service, and so of its ceiling. */
const poolSize = 10;

export interface WorldSize {
  readonly callers: number;
  /** How many own tasks. */
  readonly people: number;
  readonly replicas: number;
  /** Of the cluster; without it there is no scheduler. */
  readonly options?: Pick<ClusterOptions, 'services' | 'env' | 'replicaEnv'>;
}

/** Starts everything. */
export async function openBenchCluster(context: BenchContext, size: WorldSize): Promise<BenchCluster> {
  const cluster = await context.startCluster({
    services: ['auth', 'users', 'tasks'],
    replicas: { tasks: size.replicas },
    ...size.options,
  });
  const people = await createPeople(cluster, { callers: size.callers, all: size.people });
  const prepared = await startCeiling('prepared-server', {
    databaseUrl: cluster.databaseUrl('tasks'),
    poolSize,
  } satisfies PreparedSettings);
  const postgres = await readPostgresOf(context);
  const serverOf = (replicas: readonly number[]): MeasuredServer => ({
    addresses: replicas.map((replica) => cluster.address('tasks', replica)),
    cpuMs: async () => readCpuMs(replicas.map((replica) => cluster.httpAddress('tasks', replica))),
    ...postgres,
  });
  let count = 0;
  const dataset = (): string => countText(count);
  return {
    context,
    cluster,
    people,
    writers: () => people.callers.slice(people.callers.length / 8),
    service: () => ({ name: 'service', dataset: dataset(), server: serverOf([0]) }),
    replica: (index, name) => ({ name, dataset: dataset(), server: serverOf([index]) }),
    replicas: () => ({
      name: `${size.replicas} replicas`,
      dataset: dataset(),
      server: serverOf([...Array(size.replicas).keys()]),
    }),
    prepared: () => ({ name: 'Q', dataset: dataset(), server: { ...prepared, ...postgres } }),
    startEcho: async (calls) => ({ ...(await startEcho(cluster.address('tasks'), calls)), dataset: dataset() }),
    grow: async (target) => {
      const { report, signal } = context;
      await fillTasks(cluster.databaseUrl('tasks'), people, { from: count, to: target, report, signal });
      // Otherwise writing what was filled to disk disturbs the next measurement.
      await queryOnce(context.infrastructure.postgresAdminUrl, 'checkpoint');
      count = target;
    },
    measure: async (trial, pace) => {
      context.signal.throwIfAborted();
      context.report(`${trial.scenario}, ${dataset()} tasks`);
      return measure(trial, { ...context.options.pace, ...pace }, context.generators, context.results);
    },
    stop: async () => {
      people.close();
      await prepared.stop();
    },
  };
}

/** Reads the CPU time of PostgreSQL; nothing where that cannot be read. */
async function readPostgresOf({ infrastructure }: BenchContext): Promise<Pick<MeasuredServer, 'partsMs'>> {
  const pid = await findPostgres(infrastructure.postgresAdminUrl);
  return pid === undefined ? {} : { partsMs: async () => ({ PostgreSQL: familyCpuMsOf(pid) }) };
}

async function startEcho(
  address: string,
  calls: Partial<Record<MethodName, LoadRequest>>,
): Promise<Omit<Contender, 'dataset'> & { stop(): Promise<void> }> {
  const settings: Record<string, Uint8Array> = {};
  for (const [method, { message, headers }] of Object.entries(calls) as [MethodName, LoadRequest][]) {
    settings[method] = await callOnce(address, pathOf(method), message, headers);
  }
  const server = await startCeiling('echo-server', settings satisfies EchoSettings);
  return { name: 'E', server, stop: async () => server.stop() };
}

/** A contender with the calls of one method. */
export function enter(
  contender: Contender,
  method: MethodName,
  requests: () => readonly LoadRequest[],
  aim?: number,
): Entrant {
  const { name, server, dataset } = contender;
  return { name, server, dataset, path: pathOf(method), requests, aim };
}

/** `count` requests, of the callers in turn. */
export function requestsFor(
  callers: readonly Caller[],
  count: number,
  make: (caller: Caller, index: number) => Uint8Array,
): LoadRequest[] {
  return Array.from({ length: count }, (_, index) => {
    const caller = callers[index % callers.length] as Caller;
    return { message: make(caller, index), headers: caller.headers };
  });
}
