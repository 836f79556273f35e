import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse } from 'yaml';
import { programOf } from '#dev/cluster';
import { podOf, type DataManifest, type Workload } from './kubernetes-kinds.ts';
import { findOne, ofKind, overlays, renderOverlays, type Overlay } from './render.ts';

const deploy = join(import.meta.dirname, '..');
const root = join(deploy, '..');
const services = ['auth', 'users', 'tasks', 'scheduler'];
/** Null where a setting is left empty. */
type Environment = Record<string, string | null>;

let secrets: string;
beforeAll(() => {
  secrets = mkdtempSync(join(tmpdir(), 'taskflow-secrets-'));
  execFileSync(process.execPath, [join(deploy, 'secrets.ts'), secrets]);
});
afterAll(() => rmSync(secrets, { recursive: true }));

interface ComposeService {
  image: string;
  command?: string[];
  build: { args: { SERVICE: string } };
  environment: Environment;
}

function readCompose(): Record<string, ComposeService> {
  const text = readFileSync(join(root, 'docker-compose.yml'), 'utf8').replaceAll(/\$\{\w+:-([^}]*)\}/g, '$1');
  return (parse(text, { merge: true }) as { services: Record<string, ComposeService> }).services;
}

const overlayManifests = renderOverlays();

function readKubernetes(overlay: Overlay, service: string): Environment {
  const manifests = overlayManifests[overlay];
  const [container] = podOf(findOne<Workload>(manifests, 'Deployment', `taskflow-${service}`) as Workload).containers;
  const maps = (container?.envFrom ?? []).map(({ configMapRef }) => configMapRef.name);
  const shared = ofKind<DataManifest>(manifests, 'ConfigMap').filter(({ metadata }) => maps.includes(metadata.name));
  return Object.assign(
    {},
    ...shared.map(({ data }) => data),
    Object.fromEntries((container?.env ?? []).map(({ name, value }) => [name, value])),
  ) as Environment;
}

/** Asks the service itself, with the secrets where the container would find them. */
async function checkConfiguration(
  service: string,
  environment: Environment,
): Promise<{ status: number | null; stderr: string }> {
  const env = Object.fromEntries(
    Object.entries(environment).map(([name, value]) => [
      name,
      (value ?? '').replace('/run/taskflow', join(secrets, service)),
    ]),
  );
  const program = await programOf(`services/${service}/src/main.ts`);
  const { status, stderr } = spawnSync(process.execPath, [...program.execArgv, program.script, '--check-config'], {
    env: { ...program.env, PATH: process.env['PATH'], ...env },
    encoding: 'utf8',
  });
  return { status, stderr };
}

describe.each([...services, 'gateway'])('the configuration of %s', (service) => {
  it('is complete in docker-compose.yml', async () => {
    expect(await checkConfiguration(service, readCompose()[service]?.environment ?? {})).toEqual({
      status: 0,
      stderr: '',
    });
  });

  it.each(overlays)('is complete in the Kubernetes overlay %s', async (overlay) => {
    expect(await checkConfiguration(service, readKubernetes(overlay, service))).toEqual({ status: 0, stderr: '' });
  });
});

describe('docker-compose.yml', () => {
  it('runs each service and its migration from the same image and with the same settings', () => {
    const compose = readCompose();
    for (const service of services) {
      const { image, build, environment } = compose[service] ?? {};
      expect({ image, service: build?.args.SERVICE }).toEqual({ image: `taskflow-${service}:dev`, service });
      expect(compose[`migrate-${service}`]).toMatchObject({ image, build, environment });
    }
  });
});

describe('I10: the Redis of the queues', () => {
  const kept = ['--maxmemory-policy noeviction', '--appendonly yes'];
  const dev = findOne<Workload>(overlayManifests.dev, 'StatefulSet', 'taskflow-redis');

  it.each([
    ['in docker-compose.yml', readCompose()['redis']?.command],
    ['on Kubernetes in development', dev && podOf(dev).containers[0]?.args],
  ])('evicts nothing and keeps a log %s', (_, words) => {
    for (const option of kept) expect((words ?? []).join(' ')).toContain(option);
  });
});
