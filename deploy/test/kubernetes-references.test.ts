import { describe, expect, it } from '@jest/globals';
import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { policies } from '#libs/contract';
import {
  isWorkload,
  podOf,
  selects,
  type Autoscaler,
  type Budget,
  type DataManifest,
  type LabelSelector,
  type NetworkPolicy,
  type Peer,
  type PodSpec,
  type Route,
  type ServiceManifest,
  type Workload,
} from './kubernetes-kinds.ts';
import { nameOf, ofKind, overlays, renderOverlays } from './render.ts';

const rendered = renderOverlays();
const kubernetes = join(import.meta.dirname, '../kubernetes');

/** What the platform gives, with the keys that `secrets.ts` writes; the dev overlay's Secrets come from there. */
const secretKeys = new Map(
  ofKind<DataManifest>(rendered.dev, 'Secret').map(({ metadata, data }) => [metadata.name.replace(/-[a-z0-9]{10}$/, ''), Object.keys(data)]),
);
const plainName = (name: string): string => name.replace(/-[a-z0-9]{10}$/, '');

/** The files that a pod's Secrets put below /run/taskflow. */
function mountedFiles({ volumes = [] }: PodSpec): string[] {
  return volumes.flatMap(({ secret, projected }) => {
    const sources = secret === undefined ? (projected?.sources.map((source) => source.secret) ?? []) : [{ ...secret, name: secret.secretName }];
    return sources.flatMap(({ name, items }) => {
      const keys = secretKeys.get(plainName(name)) ?? [];
      return (items ?? keys.map((key) => ({ key, path: key }))).filter(({ key }) => keys.includes(key)).map(({ path }) => path);
    });
  });
}

describe.each(overlays)('in the overlay %s', (overlay) => {
  const manifests = rendered[overlay];
  const workloads = manifests.filter(isWorkload) as Workload[];
  const podLabels = workloads.map(({ spec }) => spec.template.metadata.labels);
  const matchesSome = (selector: LabelSelector): boolean => podLabels.some((labels) => selects(selector, labels));
  const names = new Set(manifests.map(nameOf));

  it.each(workloads.map((workload) => [nameOf(workload), workload] as const))('%s finds its account, its settings, its secrets and its volumes', (_, workload) => {
    const pod = podOf(workload);
    if (pod.serviceAccountName !== undefined) expect(names).toContain(`ServiceAccount ${pod.serviceAccountName}`);
    const files = mountedFiles(pod);
    const volumes = [...(pod.volumes ?? []), ...(workload.spec.volumeClaimTemplates ?? []).map(({ metadata }) => metadata)].map(({ name }) => name);
    for (const { env = [], envFrom = [], volumeMounts = [] } of pod.containers) {
      const maps = envFrom.map(({ configMapRef }) => ofKind<DataManifest>(manifests, 'ConfigMap').find(({ metadata }) => metadata.name === configMapRef.name));
      const shared = maps.flatMap((map) => Object.entries(map?.data ?? {}).map(([name, value]) => ({ name, value })));
      expect(maps).not.toContain(undefined);
      const wanted = [...shared, ...env].filter(({ name }) => name.endsWith('_FILE')).map(({ value }) => value.replace('/run/taskflow/', ''));
      expect(files).toEqual(expect.arrayContaining(wanted));
      expect(volumes).toEqual(expect.arrayContaining(volumeMounts.map(({ name }) => name)));
    }
  });

  it('every selector of a workload, a Service, a budget and a policy means pods that exist', () => {
    const selectors = [
      ...workloads.flatMap(({ spec }) => spec.selector ?? []),
      ...ofKind<ServiceManifest>(manifests, 'Service').map(({ spec }) => ({ matchLabels: spec.selector })),
      ...ofKind<Budget>(manifests, 'PodDisruptionBudget').map(({ spec }) => spec.selector),
      ...ofKind<NetworkPolicy>(manifests, 'NetworkPolicy').flatMap(({ spec }) => [
        spec.podSelector,
        ...[...(spec.ingress ?? []).flatMap(({ from }) => from), ...(spec.egress ?? []).flatMap(({ to }) => to)]
          .filter(({ namespaceSelector }: Peer) => namespaceSelector === undefined)
          .flatMap(({ podSelector }) => podSelector ?? []),
      ]),
    ];
    expect(selectors.filter((selector) => !matchesSome(selector))).toEqual([]);
  });

  it('every port that a Service, a policy or a route names is open on its pods', () => {
    for (const { spec } of ofKind<ServiceManifest>(manifests, 'Service')) {
      const pods = workloads.filter(({ spec: { template } }) => selects({ matchLabels: spec.selector }, template.metadata.labels));
      const open = pods.flatMap((pod) => podOf(pod).containers.flatMap(({ ports = [] }) => ports));
      for (const { port, targetPort } of spec.ports) expect(open).toContainEqual({ name: targetPort, containerPort: port });
    }
    for (const { spec } of ofKind<NetworkPolicy>(manifests, 'NetworkPolicy')) {
      const pods = workloads.filter(({ spec: { template } }) => selects(spec.podSelector, template.metadata.labels));
      const open = pods.flatMap((pod) => podOf(pod).containers.flatMap(({ ports = [] }) => ports.map(({ name }) => name)));
      for (const { port } of (spec.ingress ?? []).flatMap(({ ports }) => ports)) expect(open).toContain(port);
    }
    for (const { port, name } of ofKind<Route>(manifests, 'GRPCRoute').flatMap(({ spec }) => spec.rules.flatMap(({ backendRefs }) => backendRefs))) {
      const service = ofKind<ServiceManifest>(manifests, 'Service').find(({ metadata }) => metadata.name === name);
      expect(service?.spec.ports.map((each) => each.port)).toContain(port);
    }
  });

  it('autoscalers and routes name objects that exist', () => {
    for (const { spec } of ofKind<Autoscaler>(manifests, 'HorizontalPodAutoscaler')) {
      expect(names).toContain(`${spec.scaleTargetRef.kind} ${spec.scaleTargetRef.name}`);
      const target = workloads.find(({ metadata }) => metadata.name === spec.scaleTargetRef.name);
      expect(target?.spec.replicas).toBeUndefined();
    }
    for (const { spec } of ofKind<Route>(manifests, 'GRPCRoute')) {
      for (const { name } of spec.parentRefs) expect(names).toContain(`Gateway ${name}`);
    }
  });

  it('the addresses of the ConfigMap are those of the Services', () => {
    const config = ofKind<DataManifest>(manifests, 'ConfigMap').find(({ data }) => data['TASKFLOW_AUTH_ADDRESS'] !== undefined);
    const services = ofKind<ServiceManifest>(manifests, 'Service').filter(({ metadata }) => /-(auth|users|tasks|scheduler)$/.test(metadata.name));
    expect(services).toHaveLength(4);
    for (const { metadata, spec } of services) {
      const setting = `${metadata.name.replace('taskflow-', 'TASKFLOW_').toUpperCase()}_ADDRESS`;
      expect(config?.data[setting]).toBe(`dns:///${metadata.name}:${String(spec.ports[0]?.port)}`);
      expect(spec.clusterIP).toBe('None');
    }
  });
});

describe('what the manifests take from the contract', () => {
  it('is what the generator makes of it now (node deploy/kubernetes/generate.ts)', () => {
    const copy = mkdtempSync(join(tmpdir(), 'taskflow-generated-'));
    cpSync(kubernetes, copy, { recursive: true });
    execFileSync(process.execPath, [join(kubernetes, 'generate.ts'), copy]);
    for (const file of ['network-policies/edges.yaml', 'gateway/routes.yaml']) {
      expect(readFileSync(join(kubernetes, 'components', file), 'utf8')).toBe(readFileSync(join(copy, 'components', file), 'utf8'));
    }
    rmSync(copy, { recursive: true });
  });

  it('opens an edge between two services exactly where the contract names the caller', () => {
    const allowed = (from: string, to: string): boolean => {
      const network = ofKind<NetworkPolicy>(rendered.production, 'NetworkPolicy');
      const labels = (service: string): Record<string, string> => ({ 'app.kubernetes.io/name': `taskflow-${service}` });
      const out = network.some(({ spec }) => selects(spec.podSelector, labels(from)) && spec.egress?.some(({ to: peers }) => peers.some(({ podSelector }) => podSelector && selects(podSelector, labels(to)))));
      const into = network.some(({ spec }) => selects(spec.podSelector, labels(to)) && spec.ingress?.some(({ from: peers }) => peers.some(({ podSelector }) => podSelector && selects(podSelector, labels(from)))));
      return out && into;
    };
    const services = ['auth', 'users', 'tasks', 'scheduler'];
    const declared = (from: string, to: string): boolean =>
      [...policies.values()].some(({ service, callers }) => service.startsWith(`taskflow.${to}.`) && callers.some((caller) => caller === from));
    const pairs = services.flatMap((from) => services.filter((to) => to !== from).map((to) => ({ from, to })));
    expect(pairs.filter(({ from, to }) => allowed(from, to))).toEqual(pairs.filter(({ from, to }) => declared(from, to)));
  });

  it('routes no method that only services may call', () => {
    const routed = ofKind<Route>(rendered.production, 'GRPCRoute').flatMap(({ spec }) => spec.rules.flatMap(({ matches }) => matches.map(({ method }) => method.service)));
    expect(routed.filter((service) => service.includes('.Internal'))).toEqual([]);
    expect(routed).toContain('taskflow.tasks.v1.TasksService');
  });
});
