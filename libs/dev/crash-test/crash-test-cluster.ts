import { EventEmitter, on } from 'node:events';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { startCluster, type Cluster, type ClusterOptions, type Infrastructure } from '#dev/cluster';
import { Redis } from 'ioredis';
import type { Facts } from '../effects/facts.ts';
import type { Fault } from '../effects/fault.ts';
import { judge } from '../effects/judge.ts';
import { openFacts, type FactsReader } from '../effects/read-facts.ts';
import { startReceiver } from '#dev/testing';
import { Clients } from './clients.ts';
import { createRandom, type Random } from '../testing/src/random.ts';

export interface CrashTestClusterOptions extends Pick<ClusterOptions, 'fromSources'> {
  infrastructure: Pick<Infrastructure, 'dir' | 'postgresAdminUrl' | 'redisUrl'>;
  seed: number;
  replicas: ClusterOptions['replicas'];
  /** Databases are copied from migrated ones, on a server that has them. */
  copyDatabases?: boolean;
  env?: Record<string, string>;
}

/** A cluster with people at work, and the means to see everything that comes of it. */
export interface CrashTestCluster {
  cluster: Cluster;
  clients: Clients;
  facts: FactsReader;
  random: Random;
  /** Names the crash point at which a process dies or freezes. */
  ordersFile: string;
  /** How often something went away that makes auth's outbox repeat itself. */
  losses: { count: number };
  /** Takes the label of the process that has died. */
  nextLoss(): Promise<string>;
  /** Everything that is there now. */
  read(): Promise<Facts>;
  judge(facts: Facts): Fault[];
  flushRedis(): Promise<void>;
  close(): Promise<void>;
}

const people = 8;
const withWebhook = 4;

export async function startCrashTestCluster({
  infrastructure,
  seed,
  replicas,
  copyDatabases = false,
  env,
  fromSources,
}: CrashTestClusterOptions): Promise<CrashTestCluster> {
  const ordersFile = join(infrastructure.dir, `crash-orders-${seed}`);
  const emitter = new EventEmitter();
  const deaths = on(emitter, 'death');
  const losses = { count: 0 };
  const cluster = await startCluster({
    postgresAdminUrl: infrastructure.postgresAdminUrl,
    redisUrl: infrastructure.redisUrl,
    ports: 'free',
    copyDatabases,
    fromSources,
    ...(replicas && { replicas }),
    env: {
      TASKFLOW_CRASH_FILE: ordersFile,
      TASKFLOW_SCHEDULER_SWEEP_INTERVAL_MS: '1000',
      TASKFLOW_SCHEDULER_WEBHOOK_PRIVATE_TARGETS: '127.0.0.0/8',
      TASKFLOW_SCHEDULER_WEBHOOK_RETRY_MS: '500',
      ...env,
    },
    onLoss: (label) => emitter.emit('death', label),
  });
  const random = createRandom(String(seed));
  const facts = openFacts(cluster);
  const clients = await Clients.open(cluster, people, random);
  const webhooks = await addWebhooks(clients);
  return {
    cluster,
    clients,
    facts,
    random,
    ordersFile,
    losses,
    nextLoss: async () => String((await deaths.next()).value),
    // Arrivals are counted last: one may be younger than its record, but not older.
    read: async () => ({ ...(await facts.read()), received: webhooks.received() }),
    judge: (found) => judge(clients.log, found, losses.count),
    flushRedis: async () => {
      const redis = new Redis(cluster.redisUrl);
      await redis.flushdb();
      redis.disconnect();
    },
    close: async () => {
      clients.close();
      await facts.close();
      await cluster.stop();
      await webhooks.close();
      rmSync(ordersFile, { force: true });
    },
  };
}

async function addWebhooks(
  clients: Clients,
): Promise<{ received: () => Facts['received']; close: () => Promise<unknown> }> {
  const receivers = await Promise.all(Array.from({ length: withWebhook }, () => startReceiver('127.0.0.1')));
  await Promise.all(receivers.map(({ url }, person) => clients.addWebhook(person, url)));
  return {
    received: () =>
      receivers.flatMap(({ received }, person) =>
        received.map(({ headers, body }) => ({
          ownerId: clients.userIds[person] ?? '',
          messageId: String(headers['webhook-id']),
          body,
        })),
      ),
    close: () => Promise.all(receivers.map((receiver) => receiver.close())),
  };
}
