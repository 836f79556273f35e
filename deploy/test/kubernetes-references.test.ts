import { describe, expect, it } from '@jest/globals';
import {
  podOf,
  secretsOf,
  selects,
  workloadsIn,
  type Autoscaler,
  type Budget,
  type Certificate,
  type DataManifest,
  type LabelSelector,
  type NetworkPolicy,
  type Peer,
  type PodSpec,
  type Route,
  type ServiceManifest,
} from './kubernetes-kinds.ts';
import { findOne, nameOf, ofKind, overlays, renderings, renderOverlays } from './render.ts';

const rendered = renderOverlays();
const plainName = (name: string): string => name.replace(/-[a-z0-9]{10}$/, '');

/** What the platform gives, with the keys that `secrets.ts` writes; the dev overlay's Secrets come from there. */
const secretKeys = new Map(
  ofKind<DataManifest>(rendered.dev, 'Secret').map(({ metadata, data }) => [
    plainName(metadata.name),
    Object.keys(data),
  ]),
);

/** What cert-manager writes into the Secret of a Certificate. */
const certificateKeys = ['tls.crt', 'tls.key', 'ca.crt'];

/** The files that a pod's Secrets put below /run/taskflow and /run/taskflow-tls. */
function mountedFiles({ volumes = [] }: PodSpec): string[] {
  return volumes.flatMap(({ secret, projected }) => {
    const sources =
      secret === undefined
        ? (projected?.sources.map((source) => source.secret) ?? [])
        : [{ ...secret, name: secret.secretName }];
    return sources.flatMap(({ name, items }) => {
      const keys = secretKeys.get(plainName(name)) ?? (name.endsWith('-tls') ? certificateKeys : []);
      return (items ?? keys.map((key) => ({ key, path: key })))
        .filter(({ key }) => keys.includes(key))
        .map(({ path }) => path);
    });
  });
}

/** What an overlay may take from the platform; deploy/README.md says how each is made. */
const ofPlatform = ['auth', 'users', 'tasks', 'scheduler', 'postgres', 'tls', 'administrator'].map(
  (name) => `Secret taskflow-${name}`,
);

describe.each(renderings)('in the overlay %s', (overlay) => {
  const manifests = rendered[overlay];
  const workloads = workloadsIn(manifests);
  const issued = ofKind<Certificate>(manifests, 'Certificate');
  const names = new Set([
    ...manifests.map(nameOf),
    ...ofPlatform,
    ...issued.map(({ spec: { secretName } }) => `Secret ${secretName}`),
  ]);

  it.each(workloads.map((workload) => [nameOf(workload), workload] as const))(
    '%s finds its account, its settings, its secrets and its volumes',
    (_, workload) => {
      const pod = podOf(workload);
      if (pod.serviceAccountName !== undefined) expect(names).toContain(`ServiceAccount ${pod.serviceAccountName}`);
      const files = mountedFiles(pod);
      const volumes = [
        ...(pod.volumes ?? []),
        ...(workload.spec.volumeClaimTemplates ?? []).map(({ metadata }) => metadata),
      ].map(({ name }) => name);
      for (const { env = [], envFrom = [], volumeMounts = [] } of pod.containers) {
        const maps = envFrom.map(({ configMapRef: { name } }) => findOne<DataManifest>(manifests, 'ConfigMap', name));
        const shared = maps.flatMap((map) => Object.entries(map?.data ?? {}).map(([name, value]) => ({ name, value })));
        expect(maps).not.toContain(undefined);
        const wanted = [...shared, ...env]
          .filter(({ name }) => name.endsWith('_FILE'))
          .map(({ value = '' }) => value.replace(/^\/run\/taskflow(-tls)?\//, ''));
        expect(files).toEqual(expect.arrayContaining(wanted));
        expect(volumes).toEqual(expect.arrayContaining(volumeMounts.map(({ name }) => name)));
      }
    },
  );
  it('every certificate has an issuer that is there', () => {
    for (const { spec } of issued) expect(names).toContain(`${spec.issuerRef.kind} ${spec.issuerRef.name}`);
  });

  it('no pod asks for a priority, a class of storage or a claim that nobody makes', () => {
    for (const workload of workloads) {
      const { priorityClassName, imagePullSecrets = [], volumes = [] } = podOf(workload);
      expect(priorityClassName === undefined || names.has(`PriorityClass ${priorityClassName}`)).toBe(true);
      for (const { spec } of workload.spec.volumeClaimTemplates ?? [])
        expect(spec.storageClassName === undefined || names.has(`StorageClass ${spec.storageClassName}`)).toBe(true);
      const wanted = [
        ...[...imagePullSecrets.map(({ name }) => name), ...secretsOf(podOf(workload))].map((name) => `Secret ${name}`),
        ...volumes.flatMap(({ configMap, persistentVolumeClaim: claim }) => [
          ...(configMap === undefined ? [] : [`ConfigMap ${configMap.name}`]),
          ...(claim === undefined ? [] : [`PersistentVolumeClaim ${claim.claimName}`]),
        ]),
        ...podOf(workload).containers.flatMap(({ env = [] }) =>
          env.flatMap(({ valueFrom }) => (valueFrom === undefined ? [] : [`Secret ${valueFrom.secretKeyRef.name}`])),
        ),
      ];
      expect(wanted.filter((name) => !names.has(name))).toEqual([]);
    }
  });
});

describe.each(overlays)('in the overlay %s', (overlay) => {
  const manifests = rendered[overlay];
  const workloads = workloadsIn(manifests);
  const podLabels = workloads.map(({ spec }) => spec.template.metadata.labels);
  const matchesSome = (selector: LabelSelector): boolean => podLabels.some((labels) => selects(selector, labels));
  const names = new Set(manifests.map(nameOf));

  it('every selector of a workload, a Service, a budget and a policy means pods that exist', () => {
    const selectors = [
      ...workloads.flatMap(({ spec }) => spec.selector ?? []),
      ...ofKind<ServiceManifest>(manifests, 'Service').map(({ spec }) => ({ matchLabels: spec.selector })),
      ...ofKind<Budget>(manifests, 'PodDisruptionBudget').map(({ spec }) => spec.selector),
      ...ofKind<NetworkPolicy>(manifests, 'NetworkPolicy').flatMap(({ spec }) => [
        spec.podSelector,
        ...[
          ...(spec.ingress ?? []).flatMap(({ from = [] }) => from),
          ...(spec.egress ?? []).flatMap(({ to = [] }) => to),
        ]
          .filter(({ namespaceSelector }: Peer) => namespaceSelector === undefined)
          .flatMap(({ podSelector }) => podSelector ?? []),
      ]),
    ];
    // The platform starts the gateway's pods.
    const ours = selectors.filter(
      ({ matchLabels = {} }) => matchLabels['gateway.networking.k8s.io/gateway-name'] !== 'taskflow',
    );
    expect(ours.filter((selector) => !matchesSome(selector))).toEqual([]);
  });

  it('every port that a Service, a policy or a route names is open on its pods', () => {
    for (const { spec } of ofKind<ServiceManifest>(manifests, 'Service')) {
      const pods = workloads.filter(({ spec: { template } }) =>
        selects({ matchLabels: spec.selector }, template.metadata.labels),
      );
      const open = pods.flatMap((pod) => podOf(pod).containers.flatMap(({ ports = [] }) => ports));
      for (const { port, targetPort } of spec.ports)
        expect(open).toContainEqual({ name: targetPort, containerPort: port });
    }
    for (const { spec } of ofKind<NetworkPolicy>(manifests, 'NetworkPolicy')) {
      const pods = workloads.filter(({ spec: { template } }) => selects(spec.podSelector, template.metadata.labels));
      const open = pods.flatMap((pod) =>
        podOf(pod).containers.flatMap(({ ports = [] }) => ports.map(({ name }) => name)),
      );
      for (const { port } of (spec.ingress ?? []).flatMap(({ ports = [] }) => ports)) expect(open).toContain(port);
    }
    for (const { port, name } of ofKind<Route>(manifests, 'GRPCRoute').flatMap(({ spec }) =>
      spec.rules.flatMap(({ backendRefs }) => backendRefs),
    )) {
      const service = findOne<ServiceManifest>(manifests, 'Service', name);
      expect(service?.spec.ports.map((each) => each.port)).toContain(port);
    }
  });

  it('autoscalers and routes name objects that exist', () => {
    for (const { spec } of ofKind<Autoscaler>(manifests, 'HorizontalPodAutoscaler')) {
      expect(names).toContain(`${spec.scaleTargetRef.kind} ${spec.scaleTargetRef.name}`);
      const target = workloads.find(({ metadata }) => metadata.name === spec.scaleTargetRef.name);
      expect(target?.spec.replicas).toBeUndefined();
    }
    for (const kind of ['GRPCRoute', 'HTTPRoute']) {
      for (const { spec } of ofKind<Route>(manifests, kind)) {
        for (const { name } of spec.parentRefs) expect(names).toContain(`Gateway ${name}`);
        for (const { backendRefs } of spec.rules)
          for (const { name } of backendRefs) expect(names).toContain(`Service ${name}`);
      }
    }
  });

  it('the addresses of the ConfigMap are those of the Services', () => {
    const config = ofKind<DataManifest>(manifests, 'ConfigMap').find(
      ({ data }) => data['TASKFLOW_AUTH_ADDRESS'] !== undefined,
    );
    const services = ofKind<ServiceManifest>(manifests, 'Service').filter(({ metadata }) =>
      /-(auth|users|tasks|scheduler)$/.test(metadata.name),
    );
    expect(services).toHaveLength(4);
    for (const { metadata, spec } of services) {
      const setting = `${metadata.name.replace('taskflow-', 'TASKFLOW_').toUpperCase()}_ADDRESS`;
      expect(config?.data[setting]).toBe(`dns:///${metadata.name}:${String(spec.ports[0]?.port)}`);
      expect(spec.clusterIP).toBe('None');
    }
  });
});

describe('what the manifests take from the contract', () => {
  it('routes no method that only services may call', () => {
    const routed = ofKind<Route>(rendered.production, 'GRPCRoute').flatMap(({ spec }) =>
      spec.rules.flatMap(({ matches }) => matches.map(({ method }) => method.service)),
    );
    expect(routed.filter((service) => service.includes('.Internal'))).toEqual([]);
    expect(routed).toContain('taskflow.tasks.v1.TasksService');
  });
});
