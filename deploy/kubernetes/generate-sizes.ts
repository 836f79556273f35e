/** What the manifests and scaling.md take from sizes.ts. */
import { serviceNames, type ServiceName } from '#libs/contract';
import { stringify } from 'yaml';
import {
  callsPerPod,
  connectionsOf,
  connectionsPerPod,
  databaseConnections,
  targetUtilization,
  type PodSize,
  type ServiceSize,
  type Size,
  type SizeName,
} from './sizes.ts';

const nameOf = (service: ServiceName | 'gateway'): string => `taskflow-${service}`;
const isScaled = ({ pods }: PodSize): boolean => pods.min < pods.max;

function patchOf(service: ServiceName | 'gateway', size: PodSize): { patch: string } {
  const { cpuMillicores, memoryMi, pods } = size;
  const resources = {
    requests: { cpu: `${String(cpuMillicores)}m`, memory: `${String(memoryMi.request)}Mi` },
    limits: { memory: `${String(memoryMi.limit)}Mi` },
  };
  // Where an autoscaler decides, a number of pods here would fight it at every release.
  const replicas = isScaled(size) ? {} : { replicas: pods.max };
  const spec = { ...replicas, template: { spec: { containers: [{ name: 'taskflow', resources }] } } };
  return { patch: stringify({ apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: nameOf(service) }, spec }) };
}

/** The development server inside the cluster; elsewhere whoever runs PostgreSQL sets it. */
function patchOfPostgres(size: Size): { patch: string } {
  const { maxConnections } = databaseConnections(size);
  const args = ['postgres', '-c', `max_connections=${String(maxConnections)}`];
  const spec = { template: { spec: { containers: [{ name: 'postgres', args }] } } };
  return {
    patch: stringify({ apiVersion: 'apps/v1', kind: 'StatefulSet', metadata: { name: 'taskflow-postgres' }, spec }),
  };
}

const byCpu = {
  type: 'Resource',
  resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: targetUtilization } },
};
/** The name that prometheus-adapter gives to it stands in deploy/observability/prometheus-adapter.yaml. */
const byWaitingJobs = {
  type: 'External',
  external: { metric: { name: 'taskflow_queue_waiting' }, target: { type: 'AverageValue', averageValue: '1000' } },
};

function autoscalerOf(service: ServiceName | 'gateway', { pods }: PodSize): object {
  return {
    apiVersion: 'autoscaling/v2',
    kind: 'HorizontalPodAutoscaler',
    metadata: { name: nameOf(service) },
    spec: {
      scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: nameOf(service) },
      minReplicas: pods.min,
      maxReplicas: pods.max,
      metrics: service === 'scheduler' ? [byCpu, byWaitingJobs] : [byCpu],
      // A pod that leaves ends its streams, so it leaves late and alone.
      behavior: {
        scaleDown: { stabilizationWindowSeconds: 300, policies: [{ type: 'Pods', value: 1, periodSeconds: 60 }] },
      },
    },
  };
}

/** Files of the component of a size, by name. */
export function sizeComponent(name: SizeName, size: Size): Record<string, object[]> {
  const pods: readonly (readonly [ServiceName | 'gateway', PodSize])[] = [
    ...serviceNames.map((service) => [service, size.services[service]] as const),
    ['gateway', size.gateway],
  ];
  const scaled = pods.filter(([, ofPod]) => isScaled(ofPod));
  const kustomization = {
    apiVersion: 'kustomize.config.k8s.io/v1alpha1',
    kind: 'Component',
    ...(scaled.length > 0 && { resources: ['autoscalers.yaml'] }),
    configMapGenerator: [
      {
        name: 'taskflow',
        behavior: 'merge',
        literals: serviceNames.map(
          (service) => `TASKFLOW_${service.toUpperCase()}_POOL_SIZE=${String(size.services[service].poolSize)}`,
        ),
      },
    ],
    patches: [
      ...pods.map(([service, ofPod]) => patchOf(service, ofPod)),
      ...(name === 'dev' ? [patchOfPostgres(size)] : []),
    ],
  };
  return {
    'kustomization.yaml': [kustomization],
    ...(scaled.length > 0 && {
      'autoscalers.yaml': scaled.map(([service, ofPod]) => autoscalerOf(service, ofPod)),
    }),
  };
}

/** What every kind of pod has in the table. */
function cellsOf(name: string, size: PodSize): string[] {
  const { pods, cpuMillicores, memoryMi } = size;
  const count = isScaled(size) ? `${String(pods.min)}–${String(pods.max)}` : String(pods.max);
  return [name, count, `${String(cpuMillicores)}m`, `${String(memoryMi.request)} / ${String(memoryMi.limit)} Mi`];
}

function rowOf(service: ServiceName, size: ServiceSize): string {
  const cells = [
    ...cellsOf(service, size),
    size.poolSize,
    connectionsPerPod(service, size),
    connectionsOf(service, size),
  ];
  return `| ${cells.join(' | ')} |`;
}

/** The table of a size in scaling.md. */
export function sizeTable(name: SizeName, size: Size): string {
  const { atMost, maxConnections } = databaseConnections(size);
  const { tasks } = size.services;
  return [
    `**${name}:** PostgreSQL's \`max_connections\` at least ${String(maxConnections)}: ${String(atMost)} are open at most.`,
    ...(isScaled(tasks) ? [`A pod of tasks is full at ${callsPerPod(tasks).toLocaleString('en')} calls/s.`] : []),
    '',
    '| service | pods | CPU request | memory request / limit | pool | connections of a pod | of all pods in a rollout |',
    '|---|---|---|---|---|---|---|',
    ...serviceNames.map((service) => rowOf(service, size.services[service])),
    `| ${[...cellsOf('gateway', size.gateway), '–', '–', '–'].join(' | ')} |`,
  ].join('\n');
}
