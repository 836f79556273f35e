import { cpSync, mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import {
  serviceNames,
  startCluster,
  startInfrastructure,
  startTcpProxy,
  type Cluster,
  type Infrastructure,
  type ServiceName,
  type TcpProxy,
} from '#dev/cluster';
import { createCallLog, type CallLog } from '../effects/calls.ts';
import { openFacts, type FactsReader } from '../effects/read-facts.ts';
import { openClients, type ClusterClients } from '../testing/src/cluster-clients.ts';

/** How many processes of each service there are. */
export const replicas = 2;

/** Everything a drill happens on: servers of its own, two replicas of each service, and a proxy before each of them. */
export interface DrillCluster {
  infrastructure: Infrastructure;
  cluster: Cluster;
  /** They send nothing twice by themselves: what the cluster does not keep from a client is to be seen. */
  clients: ClusterClients;
  /** The way of the other services to the replicas of a service. */
  ways(callee: ServiceName): readonly TcpProxy[];
  /** Every call that writes, over all rounds. */
  calls: CallLog;
  /** Of all people, for those who look at what is not theirs. */
  tasks: { id: string; ownerId: string; assigneeId: string }[];
  /** How often something went away that makes auth's outbox repeat what it cannot know to be done. */
  outages: { count: number };
  /** What the databases hold. */
  facts: FactsReader;
  /** Services that ended by themselves. */
  losses: string[];
  /** Records, logs and keys; it is there until `stop`. */
  dir: string;
  /** `keep` becomes a copy of `dir`. */
  stop(keep?: string): Promise<void>;
}

/** So high that nobody reaches them: the limits are counted, in Redis while it is there, and refuse nothing. */
function countedLimits(): string {
  const methods = ['CreateTask', 'UpdateTask', 'DeleteTask', 'UndeleteTask', 'BatchCreateTasks', 'GetTask'];
  const limit = { requests: 1_000_000, perSeconds: 60 };
  return JSON.stringify({
    '*': 'unlimited',
    ...Object.fromEntries(methods.map((method) => [`taskflow.tasks.v1.TasksService/${method}`, limit])),
  });
}

const env = { TASKFLOW_SCHEDULER_SWEEP_INTERVAL_MS: '1000', TASKFLOW_RATE_LIMITS: countedLimits() };

export async function startDrillCluster(report: (line: string) => void): Promise<DrillCluster> {
  const infrastructure = await startInfrastructure({ report });
  const proxies = new Map<ServiceName, TcpProxy[]>(serviceNames.map((service) => [service, []]));
  const losses: string[] = [];
  const dir = mkdtempSync(join(infrastructure.dir, 'drill-'));
  const closeProxies = async (): Promise<void> =>
    void (await Promise.all([...proxies.values()].flat().map((proxy) => proxy.close())));
  try {
    const cluster = await startCluster({
      postgresAdminUrl: infrastructure.postgresAdminUrl,
      redisUrl: infrastructure.redisUrl,
      ports: 'free',
      dir,
      replicas: Object.fromEntries(serviceNames.map((service) => [service, replicas])),
      env,
      route: async (callee, address) => {
        const proxy = await startTcpProxy(address);
        proxies.get(callee)?.push(proxy);
        return proxy.address;
      },
      onLoss: (label, how) => losses.push(`${label}: ${how}`),
    });
    const clients = openClients(cluster);
    const stop = async (keep?: string): Promise<void> => {
      clients.close();
      await facts.close();
      await cluster.stop();
      await closeProxies();
      if (keep !== undefined) cpSync(dir, keep, { recursive: true });
      await infrastructure.stop();
    };
    const facts = openFacts(cluster);
    return {
      ...{ infrastructure, cluster, facts, calls: createCallLog(), tasks: [], outages: { count: 0 } },
      clients,
      ways: (callee) => proxies.get(callee) ?? [],
      losses,
      dir,
      stop,
    };
  } catch (error) {
    await closeProxies();
    await infrastructure.stop();
    throw error;
  }
}
