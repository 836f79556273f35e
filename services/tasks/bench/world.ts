import { fileURLToPath } from 'node:url';
import { Client } from 'pg';
import { TasksServiceService } from '#contract/tasks/v1/tasks';
import { callOnce, countText, measure, readCpuMs, startServerProcess, type BenchContext, type Contender, type LoadRequest, type Pace, type Row, type ServerProcess } from '#libs/bench';
import type { Cluster } from '#libs/devcluster';
import type { EchoSettings } from './ceilings/echo-server.ts';
import type { PreparedSettings } from './ceilings/prepared-server.ts';
import { fillTasks } from './data/fill.ts';
import { createPeople, type Caller, type People } from './data/people.ts';

export type MethodName = Exclude<keyof typeof TasksServiceService, 'watchTasks'>;

/** The cluster, its people and its ceilings. */
export interface World {
  readonly context: BenchContext;
  readonly cluster: Cluster;
  readonly people: People;
  /** The first process of the service. */
  readonly service: Contender;
  /** All processes of the service. */
  readonly replicas: Contender;
  /** Bare handler, prepared statements. */
  readonly prepared: Contender;
  /** How many tasks there are now, and as text. */
  readonly size: () => { count: number; text: string };
  /** Fills up to this many tasks. */
  grow(count: number): Promise<void>;
  /** A bare echo of what these calls are answered with. Stopped by the caller. */
  startEcho(calls: Partial<Record<MethodName, LoadRequest>>): Promise<Contender & { stop(): Promise<void> }>;
  measure(trial: WorldTrial): Promise<Row[]>;
  stop(): Promise<void>;
}

/** A trial of one of the service's methods. */
export interface WorldTrial {
  readonly scenario: string;
  readonly method: MethodName;
  readonly inFlight: readonly number[];
  readonly contenders: readonly Contender[];
  readonly requests: () => readonly LoadRequest[];
  readonly once?: boolean;
  readonly aims?: Readonly<Record<string, number>>;
  readonly pace?: Partial<Pace>;
}

const scriptOf = (name: string): string => fileURLToPath(new URL(`ceilings/${name}.ts`, import.meta.url));
export const pathOf = (method: keyof typeof TasksServiceService): string => TasksServiceService[method].path;
export const poolSize = 10;

/** Starts everything; `people` are as many as own tasks. */
export async function openWorld(context: BenchContext, counts: { callers: number; people: number; replicas: number }): Promise<World> {
  const cluster = await context.startCluster({ services: ['auth', 'users', 'tasks'], replicas: { tasks: counts.replicas } });
  const people = await createPeople(cluster, { callers: counts.callers, all: counts.people });
  const settings: PreparedSettings = { databaseUrl: cluster.databaseUrl('tasks'), poolSize };
  const prepared = await startServerProcess(scriptOf('prepared-server'), settings);
  let count = 0;
  const size = () => ({ count, text: countText(count) });
  return {
    context,
    cluster,
    people,
    service: contenderOf(cluster, [0]),
    replicas: contenderOf(cluster, Array.from({ length: counts.replicas }, (_, index) => index)),
    prepared: { name: 'Q', server: prepared },
    size,
    grow: async (target) => {
      await fillTasks(cluster.databaseUrl('tasks'), people, { from: count, to: target, report: context.report, signal: context.signal });
      await checkpoint(context.infrastructure.postgresAdminUrl);
      count = target;
    },
    startEcho: async (calls) => startEcho(cluster.address('tasks'), calls),
    measure: async ({ method, pace, ...trial }) => {
      context.signal.throwIfAborted();
      context.report(`${trial.scenario}, ${size().text} tasks`);
      return measure({ ...trial, dataset: size().text, path: pathOf(method) }, { ...context.options.pace, ...pace }, context.generators, context.results);
    },
    stop: async () => {
      people.close();
      await prepared.stop();
    },
  };
}

function contenderOf(cluster: Cluster, replicas: readonly number[]): Contender {
  const http = replicas.map((replica) => cluster.httpAddress('tasks', replica));
  return { name: 'service', server: { addresses: replicas.map((replica) => cluster.address('tasks', replica)), cpuMs: async () => readCpuMs(http) } };
}

/** Otherwise the writing of what was filled disturbs what is measured next. */
async function checkpoint(adminUrl: string): Promise<void> {
  const client = new Client({ connectionString: adminUrl });
  await client.connect();
  await client.query('checkpoint').finally(() => client.end());
}

async function startEcho(address: string, calls: Partial<Record<MethodName, LoadRequest>>): Promise<Contender & { stop(): Promise<void> }> {
  const settings: Record<string, Uint8Array> = {};
  for (const [method, { message, headers }] of Object.entries(calls) as [MethodName, LoadRequest][]) {
    settings[method] = await callOnce(address, pathOf(method), message, headers);
  }
  const server: ServerProcess = await startServerProcess(scriptOf('echo-server'), settings satisfies EchoSettings);
  return { name: 'E', server, stop: async () => server.stop() };
}

/** One request for each caller in turn. */
export function requestsFor(callers: readonly Caller[], count: number, make: (caller: Caller, index: number) => Uint8Array): LoadRequest[] {
  return Array.from({ length: count }, (_, index) => {
    const caller = callers[index % callers.length] as Caller;
    return { message: make(caller, index), headers: caller.headers };
  });
}
