import { Redis } from 'ioredis';
import {
  cpuMsOf,
  familyCpuMsOf,
  findPostgres,
  residentBytesOf,
  type BenchContext,
  type MeasuredServer,
} from '#dev/bench';
import { forEachService, serviceNames, type Cluster, type ServiceName } from '#dev/cluster';
import { startCeiling, openBenchCluster, type BenchCluster, type WorldSize } from '../bench-cluster.ts';
import { countedLimits } from '../data/limits.ts';
import { watchDrain } from './drain.ts';

/** The four services as in production, with PostgreSQL and Redis, as one server: calls are of tasks. */
export interface WholeCluster {
  readonly bench: BenchCluster;
  /** Its CPU time is that of all processes together. */
  readonly server: MeasuredServer & Required<Pick<MeasuredServer, 'partsMs' | 'drained'>>;
  /** Of the services, before their first call. */
  readonly freshMemory: Memory;
  stop(): Promise<void>;
}

/** One call in a hundred is traced. */
const traceRatio = '0.01';

/** Starts it; undefined when this system does not tell the CPU time of PostgreSQL. */
export async function openWholeCluster(
  context: BenchContext,
  size: Omit<WorldSize, 'replicas' | 'options'>,
): Promise<WholeCluster | undefined> {
  const postgresPid = await findPostgres(context.infrastructure.postgresAdminUrl);
  if (postgresPid === undefined) return undefined;
  const sink = await startCeiling('trace-sink', {});
  const env = {
    TASKFLOW_OTLP_ENDPOINT: `http://${sink.addresses[0]}`,
    TASKFLOW_TRACE_RATIO: traceRatio,
    TASKFLOW_RATE_LIMITS: JSON.stringify(countedLimits),
  };
  let freshMemory: Memory | undefined;
  const startCluster: BenchContext['startCluster'] = async (asked) => {
    const cluster = await context.startCluster(asked);
    freshMemory = readMemory(cluster);
    return cluster;
  };
  const bench = await openBenchCluster(
    { ...context, startCluster },
    {
      ...size,
      replicas: 1,
      options: { services: serviceNames, env },
    },
  );
  const drain = await watchDrain(bench.cluster);
  const redis = new Redis(context.infrastructure.redisUrl);
  const partsMs = async (): Promise<Record<string, number>> => ({
    ...Object.fromEntries(serviceNames.map((service) => [service, cpuMsOf(bench.cluster.pid(service) ?? 0)])),
    PostgreSQL: familyCpuMsOf(postgresPid),
    Redis: await readRedisMs(redis),
  });
  return {
    bench,
    freshMemory: freshMemory as Memory,
    server: {
      addresses: [bench.cluster.address('tasks')],
      cpuMs: async () => Object.values(await partsMs()).reduce((sum, ms) => sum + ms, 0),
      partsMs,
      drained: drain.finished,
    },
    stop: async () => {
      redis.disconnect();
      await drain.close();
      await bench.stop();
      await sink.stop();
    },
  };
}

/** Bytes of each service. */
export type Memory = Readonly<Record<ServiceName, number>>;

export const readMemory = (cluster: Cluster): Memory =>
  forEachService((service) => residentBytesOf(cluster.pid(service) ?? 0));

/** Milliseconds of CPU that Redis has used so far, as it tells itself. */
async function readRedisMs(redis: Redis): Promise<number> {
  const text = await redis.info('cpu');
  return ['used_cpu_sys', 'used_cpu_user'].reduce(
    (sum, name) => sum + 1000 * Number(new RegExp(`^${name}:([\\d.]+)`, 'm').exec(text)?.[1]),
    0,
  );
}
