import { cpSync, mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { AuthServiceService } from '#contract/auth/v1/auth';
import { NotificationsServiceService } from '#contract/scheduler/v1/notifications';
import { TasksServiceService } from '#contract/tasks/v1/tasks';
import { UsersServiceService } from '#contract/users/v1/users';
import {
  serviceNames,
  startCluster,
  startInfrastructure,
  startTcpProxy,
  type Cluster,
  type Infrastructure,
  type ServiceName,
  type TcpProxy,
} from '#libs/devcluster';
import { openPublicClient } from '#libs/grpc';

/** How many processes of each service there are. */
export const replicas = 2;

/** Everything a drill happens on: servers of its own, two replicas of each service, and a proxy before each of them. */
export interface Stage {
  infrastructure: Infrastructure;
  cluster: Cluster;
  clients: Clients;
  /** The way of the other services to the replicas of a service. */
  ways(callee: ServiceName): readonly TcpProxy[];
  /** Services that ended although nobody had told them to. */
  losses: string[];
  /** Ledgers, logs and keys; it is there until `stop`. */
  dir: string;
  /** `keep` becomes a copy of `dir`. */
  stop(keep?: string): Promise<void>;
}

export type Clients = ReturnType<typeof openClients>;

/** They send nothing twice by themselves: what the cluster does not keep from a client is to be seen. */
function openClients(cluster: Cluster) {
  const options = { roundRobin: true, resend: false };
  const auth = openPublicClient(AuthServiceService, cluster.target('auth'), options);
  const users = openPublicClient(UsersServiceService, cluster.target('users'), options);
  const tasks = openPublicClient(TasksServiceService, cluster.target('tasks'), options);
  const notifications = openPublicClient(NotificationsServiceService, cluster.target('scheduler'), options);
  const close = (): void => [auth, users, tasks, notifications].forEach((client) => client.close());
  return { auth, users, tasks, notifications, close };
}

/** So high that nobody reaches them: the limits are counted, in Redis while it is there, and refuse nothing. */
function countedLimits(): string {
  const methods = ['CreateTask', 'UpdateTask', 'DeleteTask', 'UndeleteTask', 'BatchCreateTasks', 'GetTask'];
  const limit = { requests: 1_000_000, perSeconds: 60 };
  return JSON.stringify({ '*': 'unlimited', ...Object.fromEntries(methods.map((method) => [`taskflow.tasks.v1.TasksService/${method}`, limit])) });
}

const env = { TASKFLOW_SCHEDULER_SWEEP_INTERVAL_MS: '1000', TASKFLOW_RATE_LIMITS: countedLimits() };

export async function startStage(report: (line: string) => void): Promise<Stage> {
  const infrastructure = await startInfrastructure({ report });
  const proxies = new Map<ServiceName, TcpProxy[]>(serviceNames.map((service) => [service, []]));
  const losses: string[] = [];
  const dir = mkdtempSync(join(infrastructure.dir, 'drill-'));
  const closeProxies = async (): Promise<void> => void (await Promise.all([...proxies.values()].flat().map((proxy) => proxy.close())));
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
      await cluster.stop();
      await closeProxies();
      if (keep !== undefined) cpSync(dir, keep, { recursive: true });
      await infrastructure.stop();
    };
    return { infrastructure, cluster, clients, ways: (callee) => proxies.get(callee) ?? [], losses, dir, stop };
  } catch (error) {
    await closeProxies();
    await infrastructure.stop();
    throw error;
  }
}
