import { setTimeout as pause } from 'node:timers/promises';
import { Redis } from 'ioredis';
import type { FaultKind, PlannedFault } from './plan.ts';
import { replicas, type Stage } from './stage.ts';

/** Puts an end to a fault. */
export type Heal = () => Promise<void>;

type Inflict = (stage: Stage, fault: PlannedFault) => Promise<Heal>;

const nothingToHeal: Heal = async () => undefined;

async function tellRedis(stage: Stage, tell: (redis: Redis) => Promise<unknown>): Promise<void> {
  const redis = new Redis(stage.infrastructure.redisUrl);
  try {
    await tell(redis);
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
  'redis-empty': async (stage) => {
    await tellRedis(stage, (redis) => redis.flushall());
    return nothingToHeal;
  },
  'redis-hung': async ({ infrastructure }) => {
    infrastructure.freezeRedis();
    return async () => infrastructure.thawRedis();
  },
  'redis-full': async (stage) => {
    // Less than it holds: every command that may need memory is refused.
    await tellRedis(stage, (redis) => redis.config('SET', 'maxmemory', '1'));
    return () => tellRedis(stage, (redis) => redis.config('SET', 'maxmemory', '0'));
  },
  'postgres-restart': async ({ infrastructure }) => {
    await infrastructure.restartPostgres('immediate');
    await infrastructure.restartPostgres('immediate');
    return nothingToHeal;
  },
  'slow-callee': async (stage, { service }) => {
    const ways = stage.ways(service);
    ways.forEach((way) => way.delay(slownessMs));
    return async () => void (await Promise.all(ways.map((way) => way.restore())));
  },
  'refused-callee': async (stage, { service }) => {
    const ways = stage.ways(service);
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

export async function inflict(stage: Stage, fault: PlannedFault): Promise<Heal> {
  return faults[fault.kind](stage, fault);
}
