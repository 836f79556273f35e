import { describe, expect, it } from '@jest/globals';
import { execFileSync } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseAllDocuments } from 'yaml';
import { schemaFaults, typeFaults, type Manifest } from './kubernetes-schema.ts';

const base = join(import.meta.dirname, '../kubernetes/base');
const services = ['auth', 'users', 'tasks', 'scheduler'] as const;

interface Container {
  name: string;
  image: string;
  ports?: { name: string; containerPort: number }[];
  env?: { name: string; value: string }[];
  securityContext: unknown;
  readinessProbe?: { grpc: { port: number } };
  startupProbe?: { grpc: { port: number } };
  livenessProbe?: { httpGet: { path: string; port: string } };
}
interface PodSpec {
  automountServiceAccountToken: boolean;
  securityContext: unknown;
  terminationGracePeriodSeconds?: number;
  containers: Container[];
  volumes: { secret?: { secretName: string } }[];
}
interface Workload extends Manifest {
  spec: { replicas?: number; template: { spec: PodSpec } };
}
interface ConfigMap extends Manifest {
  data: Record<string, string>;
}
interface ServiceManifest extends Manifest {
  spec: { clusterIP: string; ports: { name: string; port: number }[] };
}

/** Throws on anything the YAML parser warns about, such as a key that stands twice. */
function readDocuments(file: string): unknown[] {
  return parseAllDocuments(readFileSync(join(base, file), 'utf8'), { uniqueKeys: true }).map((document) => {
    const [fault] = [...document.errors, ...document.warnings];
    if (fault !== undefined) throw fault;
    return document.toJS() as unknown;
  });
}

const kustomization = readDocuments('kustomization.yaml')[0] as { resources: string[] };
const manifests = kustomization.resources.flatMap((file) => readDocuments(file)) as Manifest[];
const ofKind = <T extends Manifest>(kind: string): T[] => manifests.filter((manifest) => manifest.kind === kind) as T[];
const workloads = [...ofKind<Workload>('Deployment'), ...ofKind<Workload>('Job')];
const podOf = (workload: Workload): PodSpec => workload.spec.template.spec;
const nameOf = ({ kind, metadata }: Manifest): string => `${kind} ${metadata.name}`;

/** Values that are maps from names of one's own choice: there is no unknown field in them. */
const freeMaps = /\.(labels|matchLabels|data|requests|limits)$|^Service\.spec\.selector$/;

/** Every copy of the value in which one object has a field that Kubernetes does not know. */
function* withUnknownField(value: unknown, path: string): Generator<{ path: string; value: unknown }> {
  if (typeof value !== 'object' || value === null) return;
  if (!Array.isArray(value) && !freeMaps.test(path)) yield { path, value: { ...value, unknownField: 'x' } };
  for (const [key, child] of Object.entries(value)) {
    for (const changed of withUnknownField(child, Array.isArray(value) ? path : `${path}.${key}`)) {
      yield { path: changed.path, value: Array.isArray(value) ? value.with(Number(key), changed.value) : { ...value, [key]: changed.value } };
    }
  }
}

describe('the Kubernetes base', () => {
  it('lists every file of its folder and nothing else', () => {
    const files = readdirSync(base).filter((file) => file !== 'kustomization.yaml');
    expect([...kustomization.resources].sort()).toEqual(files.sort());
    expect(Object.keys(kustomization).sort()).toEqual(['apiVersion', 'kind', 'labels', 'resources']);
  });

  it('names every object once', () => {
    const names = manifests.map(nameOf);
    expect(new Set(names).size).toBe(names.length);
    expect(workloads.map(nameOf)).toEqual([
      ...services.map((service) => `Deployment taskflow-${service}`),
      ...services.map((service) => `Job taskflow-${service}-migrate`),
    ]);
  });

  it.each(manifests.map((manifest) => [nameOf(manifest), manifest] as const))('%s is valid by the schema of the API', async (_, manifest) => {
    expect(await schemaFaults(manifest)).toEqual([]);
  });

  it('has no field that the API does not know', () => {
    expect(typeFaults(manifests)).toEqual(manifests.map(() => []));
  });
});

describe('the check of the manifests', () => {
  it('refuses an unknown field wherever it stands', () => {
    const kinds = [...new Map(manifests.map((manifest) => [manifest.kind, manifest])).values()];
    const changed = kinds.flatMap((manifest) => [...withUnknownField(manifest, manifest.kind)]);
    const faults = typeFaults(changed.map(({ value }) => value as Manifest));
    expect(changed.filter((_, index) => !faults[index]?.some((fault) => fault.includes('unknownField'))).map(({ path }) => path)).toEqual([]);
    expect(changed.length).toBeGreaterThan(50);
  });

  it('refuses a value of another type, an unknown kind and a missing field', async () => {
    const [job] = ofKind<Workload>('Job');
    expect(await schemaFaults({ ...job, spec: { ...job?.spec, backoffLimit: 1.5 } } as Manifest)).not.toEqual([]);
    expect(await schemaFaults({ ...job, spec: {} } as Manifest)).not.toEqual([]);
    await expect(schemaFaults({ ...job, kind: 'Jobs' } as Manifest)).rejects.toThrow();
  });
});

describe('every pod', () => {
  it.each(workloads.map((workload) => [nameOf(workload), workload] as const))('of %s runs restricted and without a cluster token', (_, workload) => {
    const pod = podOf(workload);
    expect(pod).toMatchObject({
      automountServiceAccountToken: false,
      securityContext: { runAsNonRoot: true, runAsUser: 1000, seccompProfile: { type: 'RuntimeDefault' } },
    });
    for (const container of pod.containers) {
      expect(container.securityContext).toEqual({
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ['ALL'] },
      });
    }
  });

  it('reads the secrets of its own service only', () => {
    const secrets = workloads.map((workload) => podOf(workload).volumes.flatMap(({ secret }) => secret?.secretName ?? []));
    expect(secrets).toEqual([...services, ...services].map((service) => [`taskflow-${service}`]));
  });

  it('finds its secrets under the names that secrets.ts gives them', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'taskflow-secrets-'));
    execFileSync(process.execPath, [join(import.meta.dirname, '../secrets.ts'), directory]);
    const made = services.map((service) => readdirSync(join(directory, service)).sort());
    await rm(directory, { recursive: true });

    const shared = configEntries();
    const read = ofKind<Workload>('Deployment').map((deployment) =>
      [...shared, ...podOf(deployment).containers.flatMap(({ env }) => env ?? [])]
        .filter(({ name }) => name.endsWith('_FILE'))
        .map(({ value }) => value.replace('/run/taskflow/', ''))
        .sort(),
    );
    expect(read).toEqual(made);
  });
});

describe('every service', () => {
  it.each(services.map((service, index) => [service, index + 1] as const))('%s listens, is probed and is called on the same ports', (service, number) => {
    const deployment = ofKind<Workload>('Deployment').find(({ metadata }) => metadata.name === `taskflow-${service}`);
    const headless = ofKind<ServiceManifest>('Service').find(({ metadata }) => metadata.name === `taskflow-${service}`);
    const grpc = 50_050 + number;
    expect(deployment && podOf(deployment).containers[0]).toMatchObject({
      image: `taskflow-${service}:dev`,
      ports: [
        { name: 'grpc', containerPort: grpc },
        { name: 'http', containerPort: 9464 + number },
      ],
      startupProbe: { grpc: { port: grpc } },
      readinessProbe: { grpc: { port: grpc } },
      livenessProbe: { httpGet: { path: '/livez', port: 'http' } },
    });
    expect(headless?.spec).toMatchObject({ clusterIP: 'None', ports: [{ name: 'grpc', port: grpc }] });
    expect(configEntries()).toContainEqual({ name: `TASKFLOW_${service.toUpperCase()}_ADDRESS`, value: `dns:///taskflow-${service}:${String(grpc)}` });
  });

  it('keeps the connections of all pods below what PostgreSQL allows by default, also during a rollout', () => {
    const pools = configEntries().filter(({ name }) => name.endsWith('_POOL_SIZE'));
    const podsDuringRollout = 3;
    const connections = pools.reduce((sum, { value }) => sum + Number(value) * podsDuringRollout, 0);
    expect(pools).toHaveLength(services.length);
    expect(connections).toBeLessThan(97);
  });
});

function configEntries(): { name: string; value: string }[] {
  return ofKind<ConfigMap>('ConfigMap').flatMap(({ data }) => Object.entries(data).map(([name, value]) => ({ name, value })));
}
