import { describe, expect, it } from '@jest/globals';
import { isWorkload, podOf, type Autoscaler, type Budget, type DataManifest, type NetworkPolicy, type ServiceManifest, type Workload } from './kubernetes-kinds.ts';
import { nameOf, ofKind, overlays, renderOverlays } from './render.ts';

const rendered = renderOverlays();
const services = ['auth', 'users', 'tasks', 'scheduler'] as const;
const all = overlays.flatMap((overlay) => (rendered[overlay].filter(isWorkload) as Workload[]).map((workload) => [overlay, nameOf(workload), workload] as const));
const deployments = all.filter(([, , { kind }]) => kind === 'Deployment');

describe('every pod', () => {
  it.each(all)('of %s, %s, runs restricted and without a cluster token', (_overlay, _name, workload) => {
    const pod = podOf(workload);
    expect(pod.automountServiceAccountToken).toBe(false);
    expect(pod.securityContext).toMatchObject({ runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } });
    for (const { securityContext, resources } of pod.containers) {
      expect(securityContext).toEqual({ allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: { drop: ['ALL'] } });
      expect(resources).toMatchObject({ requests: { cpu: expect.any(String), memory: expect.any(String) }, limits: { memory: expect.any(String) } });
    }
  });

  it.each(all.filter(([, , { metadata }]) => services.some((service) => metadata.name.startsWith(`taskflow-${service}`))))(
    'of %s, %s, reads the secrets of its own service only, under its own account',
    (_overlay, _name, workload) => {
      const service = workload.metadata.name.replace('-migrate', '');
      const { volumes = [], serviceAccountName } = podOf(workload);
      expect(serviceAccountName).toBe(service);
      expect(volumes.flatMap(({ secret }) => secret?.secretName.replace(/-[a-z0-9]{10}$/, '') ?? [])).toEqual([service]);
    },
  );
});

describe('every service', () => {
  it.each(deployments)('of %s, %s, is probed over gRPC, and alive without its dependencies', (_overlay, _name, workload) => {
    const [container] = podOf(workload).containers;
    const port = container?.ports?.find(({ name }) => name === 'grpc')?.containerPort;
    expect(container?.startupProbe?.grpc).toEqual({ port });
    expect(container?.readinessProbe?.grpc).toEqual({ port });
    expect(container?.livenessProbe?.grpc).toEqual({ port, service: 'liveness' });
  });

  it.each(deployments)('of %s, %s, is told to leave before it stops, and has longer than its drain', (_overlay, _name, workload) => {
    const pod = podOf(workload);
    const pause = pod.containers[0]?.lifecycle?.preStop.sleep.seconds ?? 0;
    const drainSeconds = 20;
    expect(pause).toBeGreaterThan(0);
    expect(pod.terminationGracePeriodSeconds).toBeGreaterThan(pause + drainSeconds);
    expect(workload.spec.strategy?.rollingUpdate.maxUnavailable).toBe(0);
    expect(pod.topologySpreadConstraints).toHaveLength(2);
  });
});

describe.each(['staging', 'production'] as const)('%s', (overlay) => {
  const manifests = rendered[overlay];

  it('denies every connection that no policy opens', () => {
    const policies = ofKind<NetworkPolicy>(manifests, 'NetworkPolicy');
    expect(policies.find(({ metadata }) => metadata.name === 'taskflow-default-deny')?.spec).toEqual({ podSelector: {}, policyTypes: ['Ingress', 'Egress'] });
  });

  it('keeps at least one pod of each service while a node is drained', () => {
    const budgets = ofKind<Budget>(manifests, 'PodDisruptionBudget');
    expect(budgets.map(({ metadata }) => metadata.name)).toEqual(expect.arrayContaining(services.map((service) => `taskflow-${service}`)));
    for (const service of services) {
      const name = `taskflow-${service}`;
      const fixed = ofKind<Workload>(manifests, 'Deployment').find(({ metadata }) => metadata.name === name)?.spec.replicas;
      const least = ofKind<Autoscaler>(manifests, 'HorizontalPodAutoscaler').find(({ metadata }) => metadata.name === name)?.spec.minReplicas;
      expect(fixed ?? least).toBeGreaterThan(budgets.find(({ metadata }) => metadata.name === name)?.spec.maxUnavailable ?? 0);
    }
  });

  it('holds no secret: they come from the platform', () => {
    expect(ofKind(manifests, 'Secret')).toEqual([]);
    expect(ofKind<Workload>(manifests, 'StatefulSet')).toEqual([]);
  });

  it('names an image of a registry with a version, never a moving tag', () => {
    const images = (manifests.filter(isWorkload) as Workload[]).flatMap((workload) => podOf(workload).containers.map(({ image }) => image));
    expect(images.filter((image) => !/^[^/]+\.[^/]+\/.+:\d+\.\d+\.\d+$/.test(image))).toEqual([]);
  });

  it('runs with the settings of production, and below the connections that PostgreSQL allows by default', () => {
    const config = ofKind<DataManifest>(manifests, 'ConfigMap').find(({ data }) => data['TASKFLOW_ENV'] !== undefined)?.data ?? {};
    expect(config['TASKFLOW_ENV']).toBe('production');
    const podsDuringRollout = 3;
    const pools = Object.entries(config).filter(([name]) => name.endsWith('_POOL_SIZE'));
    expect(pools).toHaveLength(services.length);
    expect(pools.reduce((sum, [, value]) => sum + Number(value) * podsDuringRollout, 0)).toBeLessThan(97);
  });
});

describe('every overlay', () => {
  it.each(overlays)('%s enforces the restricted profile of Pod Security', (overlay) => {
    expect(ofKind(rendered[overlay], 'Namespace').map(({ metadata }) => metadata.labels)).toEqual([
      expect.objectContaining({ 'pod-security.kubernetes.io/enforce': 'restricted' }),
    ]);
    expect(ofKind<ServiceManifest>(rendered[overlay], 'Service').map(({ metadata }) => metadata.name)).toEqual(
      expect.arrayContaining(services.map((service) => `taskflow-${service}`)),
    );
  });
});
