import { setTimeout as pause } from 'node:timers/promises';
import { Redis } from 'ioredis';
import type { FaultKind, PlannedFault } from './plan.ts';
import { replicas, type DrillCluster } from './drill-cluster.ts';

/** Puts an end to a fault. */
export type Heal = () => Promise<void>;

type Inflict = (drillCluster: DrillCluster, fault: PlannedFault) => Promise<Heal>;

const nothingToHeal: Heal = async () => undefined;

async function commandRedis(drillCluster: DrillCluster, command: (redis: Redis) => Promise<unknown>): Promise<void> {
  const redis = new Redis(drillCluster.infrastructure.redisUrl);
  try {
    await command(redis);
  } finally {
    redis.disconnect();
  }
}

/** Longer than any deadline of the contract but those of streams and sweeps. */
const slownessMs = 10_000;

/** As minReadySeconds of the deployments: clients find the new replica (within 1.2 s) before the next one goes. */
const minReadyMs = 5_000;

const faults: Record<FaultKind, Inflict> = {
  kill: async ({ cluster }, { service, replica }) => {
    await cluster.kill(service, 'SIGKILL', replica);
    return () => cluster.start(service, replica);
  },
  freeze: async ({ cluster }, { service, replica }) => {
    await cluster.kill(service, 'SIGSTOP', replica);
    return () => cluster.kill(service, 'SIGCONT', replica);
  },
  'redis-down': async ({ infrastructure }) => {
    await infrastructure.stopRedis();
    return () => infrastructure.startRedis();
  },
  'redis-empty': async (drillCluster) => {
    await commandRedis(drillCluster, (redis) => redis.flushall());
    return nothingToHeal;
  },
  'redis-hung': async ({ infrastructure }) => {
    infrastructure.freezeRedis();
    return async () => infrastructure.thawRedis();
  },
  'redis-full': async (drillCluster) => {
    // Less than it holds: every command that may need memory is refused.
    await commandRedis(drillCluster, (redis) => redis.config('SET', 'maxmemory', '1'));
    return () => commandRedis(drillCluster, (redis) => redis.config('SET', 'maxmemory', '0'));
  },
  'postgres-restart': async ({ infrastructure }) => {
    await infrastructure.restartPostgres('immediate');
    await infrastructure.restartPostgres('immediate');
    return nothingToHeal;
  },
  'slow-callee': async (drillCluster, { service }) => {
    const ways = drillCluster.ways(service);
    ways.forEach((way) => way.delay(slownessMs));
    return async () => void (await Promise.all(ways.map((way) => way.restore())));
  },
  'refused-callee': async (drillCluster, { service }) => {
    const ways = drillCluster.ways(service);
    await Promise.all(ways.map((way) => way.cut()));
    return async () => void (await Promise.all(ways.map((way) => way.restore())));
  },
  'rolling-restart': async ({ cluster }, { service }) => {
    for (let replica = 0; replica < replicas; replica += 1) {
      if (replica > 0) await pause(minReadyMs);
      await cluster.restart(service, replica);
    }
    return nothingToHeal;
  },
};

export async function inflict(drillCluster: DrillCluster, fault: PlannedFault): Promise<Heal> {
  return faults[fault.kind](drillCluster, fault);
}
