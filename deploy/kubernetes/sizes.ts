/**
 * The size of TaskFlow on Kubernetes: the table from which `npm run manifests` writes requests, limits, replicas,
 * autoscalers, pool sizes, PostgreSQL's max_connections and the table in deploy/scaling.md. A test recomputes the
 * figures below from what scaling.md says was measured.
 */
import { serviceNames, type ServiceName } from '#libs/contract';

export interface PodSize {
  /** Pods at least and at most; where they differ, an autoscaler decides. */
  pods: { min: number; max: number };
  /** CPU that is reserved for a pod, in thousandths of a core. A process uses one core at most, but for argon2. */
  cpuMillicores: number;
  memoryMi: { request: number; limit: number };
}

export interface ServiceSize extends PodSize {
  /** Database connections of a pod for its calls. */
  poolSize: number;
}

export interface Size {
  /** Calls per second that the most pods carry while one of them is missing, in the mix of scaling.md. */
  carriesCallsPerSecond: number;
  services: Record<ServiceName, ServiceSize>;
  gateway: PodSize;
}

const memoryMi = { request: 256, limit: 512 };
const pods = (min: number, max: number, cpuMillicores: number): PodSize => ({
  pods: { min, max },
  cpuMillicores,
  memoryMi,
});
const scaled = (min: number, max: number, cpuMillicores: number, poolSize: number): ServiceSize => ({
  ...pods(min, max, cpuMillicores),
  poolSize,
});
const fixed = (pods: number, cpuMillicores: number, poolSize: number): ServiceSize =>
  scaled(pods, pods, cpuMillicores, poolSize);

export const sizes = {
  // One machine: little is reserved, and the connections stay below PostgreSQL's default.
  dev: {
    carriesCallsPerSecond: 0,
    services: { auth: fixed(1, 100, 5), users: fixed(1, 100, 5), tasks: fixed(1, 100, 5), scheduler: fixed(1, 100, 5) },
    gateway: pods(1, 1, 100),
  },
  staging: {
    carriesCallsPerSecond: 500,
    services: { auth: fixed(2, 250, 6), users: fixed(2, 250, 6), tasks: fixed(2, 500, 6), scheduler: fixed(2, 250, 6) },
    gateway: pods(2, 2, 250),
  },
  // Ten times the load of scaling.md.
  production: {
    carriesCallsPerSecond: 5000,
    services: {
      auth: scaled(2, 6, 500, 6),
      users: scaled(2, 4, 250, 6),
      tasks: scaled(2, 6, 1000, 10),
      scheduler: scaled(2, 4, 500, 6),
    },
    gateway: pods(2, 6, 500),
  },
} as const satisfies Record<string, Size>;

export type SizeName = keyof typeof sizes;

/** More pods are started when those that run use more than this share of their request, in percent. */
export const targetUtilization = 70;
/** CPU of tasks for one call of the mix in scaling.md, in milliseconds. */
export const cpuOfCallMs = 0.63;

/** Besides the pool: one connection that cancels statements, and one that listens where clients wait for news. */
const controlConnections = 1;
export const listeningConnections: Record<ServiceName, number> = { auth: 0, users: 0, tasks: 1, scheduler: 1 };
/** A rolling update has one additional pod, and one that ends, because `minReadySeconds` covers a pod's longest end. */
export const podsMoreDuringRollout = 2;
/** A migration Job holds its lock and runs its statements. */
const connectionsOfMigration = 2;
const connectionsOfProvision = 1;
/** For people, monitoring and backups; PostgreSQL keeps three of them for superusers. */
export const reservedConnections = 10;

export const connectionsPerPod = (service: ServiceName, { poolSize }: ServiceSize): number =>
  poolSize + controlConnections + listeningConnections[service];

/** The most connections that the pods of a service hold, in the middle of a rolling update at full size. */
export const connectionsOf = (service: ServiceName, size: ServiceSize): number =>
  (size.pods.max + podsMoreDuringRollout) * connectionsPerPod(service, size);

/** All connections that may be open at the same time, and the setting of the server that allows them. */
export function databaseConnections({ services }: Size): { atMost: number; maxConnections: number } {
  const ofPods = serviceNames.reduce((sum, service) => sum + connectionsOf(service, services[service]), 0);
  const atMost = ofPods + serviceNames.length * connectionsOfMigration + connectionsOfProvision + reservedConnections;
  return { atMost, maxConnections: Math.ceil(atMost / 50) * 50 };
}

/** Behind PgBouncer: connections of the server that a service's pods share, and all that may be open then. */
export const sharedConnections = 25;
export function connectionsBehindPgBouncer({ services }: Size): {
  clients: number;
  atMost: number;
  maxConnections: number;
} {
  const clients = serviceNames.reduce((sum, service) => sum + connectionsOf(service, services[service]), 0);
  const atMost =
    serviceNames.length * (sharedConnections + connectionsOfMigration) + connectionsOfProvision + reservedConnections;
  return { clients, atMost, maxConnections: Math.ceil(atMost / 50) * 50 };
}

/** Calls per second at which a pod of tasks uses as much CPU as the autoscaler wants it to. */
export const callsPerPod = ({ cpuMillicores }: ServiceSize): number =>
  Math.floor((cpuMillicores * (targetUtilization / 100)) / cpuOfCallMs);
