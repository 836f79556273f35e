import { describe, expect, it } from '@jest/globals';
import { createPeerResolver } from '../../libs/grpc/src/transport/peer-address.ts';
import {
  imagesIn,
  podOf,
  workloadsIn,
  type Autoscaler,
  type Budget,
  type Certificate,
  type Container,
  type DataManifest,
  type NetworkPolicy,
  type ServiceManifest,
  type Workload,
} from './kubernetes-kinds.ts';
import { findOne, nameOf, ofKind, overlays, renderings, renderOverlays } from './render.ts';

const rendered = renderOverlays();
const services = ['auth', 'users', 'tasks', 'scheduler'] as const;
const all = renderings.flatMap((overlay) =>
  workloadsIn(rendered[overlay]).map((workload) => [overlay, nameOf(workload), workload] as const),
);
const deployments = all.filter(([, , { kind }]) => kind === 'Deployment');
const isGateway = ({ metadata }: Workload): boolean => metadata.name === 'taskflow-gateway';

const containerOf = (workload: Workload): Container => podOf(workload).containers[0] as Container;

describe('every pod', () => {
  it.each(all)('of %s, %s, runs restricted and without a cluster token', (_overlay, _name, workload) => {
    const pod = podOf(workload);
    expect(pod.automountServiceAccountToken).toBe(false);
    expect(pod.securityContext).toMatchObject({ runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } });
    for (const { securityContext, resources } of pod.containers) {
      expect(securityContext).toEqual({
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ['ALL'] },
      });
      expect(resources).toMatchObject({
        requests: { cpu: expect.any(String), memory: expect.any(String) },
        limits: { memory: expect.any(String) },
      });
    }
  });

  it.each(
    all.filter(([, , { metadata }]) => services.some((service) => metadata.name.startsWith(`taskflow-${service}`))),
  )('of %s, %s, reads the secrets of its own service only, under its own account', (_overlay, _name, workload) => {
    const service = workload.metadata.name.replace('-migrate', '');
    const { volumes = [], serviceAccountName } = podOf(workload);
    expect(serviceAccountName).toBe(service);
    const secrets = volumes.flatMap(({ secret }) => secret?.secretName.replace(/-[a-z0-9]{10}$/, '') ?? []);
    expect(secrets.filter((name) => name !== `${service}-tls`)).toEqual([service]);
  });
});

describe('the gateway', () => {
  it.each(deployments.filter(([, , workload]) => isGateway(workload)))(
    'of %s, %s, has no secret of services, and is probed without the services',
    (overlay, _name, workload) => {
      const { volumes = [], containers, serviceAccountName } = podOf(workload);
      expect(serviceAccountName).toBe('taskflow-gateway');
      // By TLS its own certificate, which is no key of a service.
      const certificate = { name: 'certificate', secret: { secretName: 'taskflow-gateway-tls', defaultMode: 288 } };
      const isSecured = overlay === 'production-tls';
      expect(volumes.filter(({ secret }) => secret !== undefined)).toEqual(isSecured ? [certificate] : []);
      const files = { CERT: 'tls.crt', KEY: 'tls.key', CA: 'ca.crt' };
      const settings = Object.entries(files).map(([part, file]) => ({
        name: `TASKFLOW_TLS_${part}_FILE`,
        value: `/run/taskflow-tls/${file}`,
      }));
      expect(containers[0]?.env ?? []).toEqual(isSecured ? settings : []);
      expect(containers[0]).toMatchObject({
        startupProbe: { httpGet: { path: '/livez' } },
        readinessProbe: { httpGet: { path: '/readyz' } },
        livenessProbe: { httpGet: { path: '/livez' } },
      });
    },
  );
});

describe('every service', () => {
  const services = deployments.filter(([, , workload]) => !isGateway(workload));
  const [secured, plain] = [true, false].map((isSecured) =>
    services.filter(([overlay]) => (overlay === 'production-tls') === isSecured),
  ) as [typeof deployments, typeof deployments];

  it.each(plain)('of %s, %s, is probed over gRPC, and alive without its dependencies', (_overlay, _name, workload) => {
    const [container] = podOf(workload).containers;
    const port = container?.ports?.find(({ name }) => name === 'grpc')?.containerPort;
    expect(container?.readinessProbe?.grpc).toEqual({ port });
    for (const probe of [container?.startupProbe, container?.livenessProbe])
      expect(probe?.grpc).toEqual({ port, service: 'liveness' });
  });

  it.each(secured)(
    'of %s, %s, is probed over HTTP, since the kubelet cannot do so by TLS',
    (_overlay, _name, workload) => {
      const { startupProbe, livenessProbe, readinessProbe, ports } = containerOf(workload);
      expect(ports?.map(({ name }) => name)).toContain('http');
      expect(readinessProbe).toMatchObject({ httpGet: { path: '/readyz', port: 'http' } });
      for (const probe of [startupProbe, livenessProbe])
        expect(probe).toMatchObject({ httpGet: { path: '/livez', port: 'http' } });
      expect(JSON.stringify([startupProbe, livenessProbe, readinessProbe])).not.toContain('grpc');
    },
  );

  it.each(secured)(
    'of %s, %s, mounts a certificate with its name, for both sides of a connection',
    (overlay, _name, workload) => {
      const { name } = workload.metadata;
      const { spec } = findOne<Certificate>(rendered[overlay], 'Certificate', name) as Certificate;
      expect(spec.dnsNames).toContain(name.replace('taskflow-', ''));
      expect(spec.usages).toEqual(expect.arrayContaining(['server auth', 'client auth']));
      expect(podOf(workload).volumes).toContainEqual({
        name: 'certificate',
        secret: expect.objectContaining({ secretName: spec.secretName }),
      });
      const { volumeMounts, env } = containerOf(workload);
      expect(volumeMounts).toContainEqual({ name: 'certificate', mountPath: '/run/taskflow-tls', readOnly: true });
      const files = { CERT: 'tls.crt', KEY: 'tls.key', CA: 'ca.crt' };
      for (const [part, file] of Object.entries(files))
        expect(env).toContainEqual({ name: `TASKFLOW_TLS_${part}_FILE`, value: `/run/taskflow-tls/${file}` });
    },
  );

  it.each(deployments)(
    'of %s, %s, is told to leave before it stops, and has longer than its drain',
    (_overlay, _name, workload) => {
      const pod = podOf(workload);
      const pause = pod.containers[0]?.lifecycle?.preStop.sleep.seconds ?? 0;
      const drainSeconds = 20;
      expect(pause).toBeGreaterThan(0);
      expect(pod.terminationGracePeriodSeconds).toBeGreaterThan(pause + drainSeconds);
      expect(workload.spec.strategy?.rollingUpdate.maxUnavailable).toBe(0);
      expect(pod.topologySpreadConstraints).toHaveLength(2);
    },
  );
});

describe.each(['staging', 'production'] as const)('%s', (overlay) => {
  const manifests = rendered[overlay];

  it('denies every connection that no policy opens', () => {
    expect(findOne<NetworkPolicy>(manifests, 'NetworkPolicy', 'taskflow-default-deny')?.spec).toEqual({
      podSelector: {},
      policyTypes: ['Ingress', 'Egress'],
    });
  });

  it('keeps at least one pod of each service while a node is drained', () => {
    const budgets = ofKind<Budget>(manifests, 'PodDisruptionBudget');
    expect(budgets.map(({ metadata }) => metadata.name)).toEqual(
      expect.arrayContaining(services.map((service) => `taskflow-${service}`)),
    );
    for (const service of services) {
      const name = `taskflow-${service}`;
      const fixed = findOne<Workload>(manifests, 'Deployment', name)?.spec.replicas;
      const least = findOne<Autoscaler>(manifests, 'HorizontalPodAutoscaler', name)?.spec.minReplicas;
      const budget = findOne<Budget>(budgets, 'PodDisruptionBudget', name);
      expect(fixed ?? least).toBeGreaterThan(budget?.spec.maxUnavailable ?? 0);
    }
  });

  it('holds no secret: they come from the platform', () => {
    expect(ofKind(manifests, 'Secret')).toEqual([]);
    expect(ofKind<Workload>(manifests, 'StatefulSet')).toEqual([]);
  });

  it('names an image of a registry with a version, never a moving tag', () => {
    expect(imagesIn(manifests).filter((image) => !/^[^/]+\.[^/]+\/.+:\d+\.\d+\.\d+$/.test(image))).toEqual([]);
  });

  it('runs with the settings of production, and tells the people behind the gateway apart', () => {
    const config =
      ofKind<DataManifest>(manifests, 'ConfigMap').find(({ data }) => data['TASKFLOW_ENV'] !== undefined)?.data ?? {};
    expect(config['TASKFLOW_ENV']).toBe('production');
    expect(ofKind(manifests, 'Gateway')).toHaveLength(1);
    const clientOf = createPeerResolver(
      (config['TASKFLOW_TRUSTED_PROXIES'] ?? '').split(',').filter((range) => range !== ''),
    );
    for (const pod of ['10.244.1.7:51234', '172.20.3.4:51234', 'fd00:10:244::5:51234']) {
      expect(['203.0.113.7', '2001:db8::7'].map((person) => clientOf(pod, person))).toEqual([
        '203.0.113.7',
        '2001:db8::7',
      ]);
    }
    expect(clientOf('198.51.100.9:51234', '203.0.113.7')).toBe('198.51.100.9');
  });
});

describe('every overlay', () => {
  it('lets no server be restarted by a probe, since recovery takes as long as it takes', () => {
    const servers = ofKind<Workload>(rendered.dev, 'StatefulSet').flatMap((workload) => podOf(workload).containers);
    expect(servers).toHaveLength(2);
    for (const { startupProbe, livenessProbe } of servers)
      expect([startupProbe, livenessProbe]).toEqual([undefined, undefined]);
  });

  it.each(renderings)('%s names a tag or a digest for every image', (name) => {
    const images = imagesIn(rendered[name]);
    expect(images.length).toBeGreaterThan(0);
    expect(images.filter((image) => !/(:[\w.-]+|@sha256:[0-9a-f]{64})$/.test(image.split('/').at(-1) ?? ''))).toEqual(
      [],
    );
  });

  it.each(overlays)('%s enforces the restricted profile of Pod Security', (overlay) => {
    expect(ofKind(rendered[overlay], 'Namespace').map(({ metadata }) => metadata.labels)).toEqual([
      expect.objectContaining({ 'pod-security.kubernetes.io/enforce': 'restricted' }),
    ]);
    expect(ofKind<ServiceManifest>(rendered[overlay], 'Service').map(({ metadata }) => metadata.name)).toEqual(
      expect.arrayContaining(services.map((service) => `taskflow-${service}`)),
    );
  });
});
