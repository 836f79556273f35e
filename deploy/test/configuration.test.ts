import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse, parseAllDocuments } from 'yaml';

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
  build: { args: { SERVICE: string } };
  environment: Environment;
}

function readCompose(): Record<string, ComposeService> {
  const text = readFileSync(join(root, 'docker-compose.yml'), 'utf8').replaceAll(/\$\{\w+:-([^}]*)\}/g, '$1');
  return (parse(text, { merge: true }) as { services: Record<string, ComposeService> }).services;
}

interface Container {
  envFrom: unknown;
  env: { name: string; value: string }[];
}

function readKubernetes(service: string): Environment {
  const read = (file: string): unknown[] =>
    parseAllDocuments(readFileSync(join(deploy, 'kubernetes/base', file), 'utf8')).map((document) => document.toJS() as unknown);
  const [config] = read('configmap.yaml') as { data: Environment }[];
  const [, deployment] = read(`${service}.yaml`) as { spec: { template: { spec: { containers: Container[] } } } }[];
  const own = deployment?.spec.template.spec.containers[0]?.env ?? [];
  return { ...config?.data, ...Object.fromEntries(own.map(({ name, value }) => [name, value])) };
}

/** Asks the service itself, with the secrets where the container would find them. */
function checkConfiguration(service: string, environment: Environment): { status: number | null; stderr: string } {
  const env = Object.fromEntries(
    Object.entries(environment).map(([name, value]) => [name, (value ?? '').replace('/run/taskflow', join(secrets, service))]),
  );
  const main = join(root, `services/${service}/src/main.ts`);
  const { status, stderr } = spawnSync(process.execPath, [main, '--check-config'], { env: { PATH: process.env['PATH'], ...env }, encoding: 'utf8' });
  return { status, stderr };
}

describe.each(services)('the configuration of %s', (service) => {
  it('is complete in docker-compose.yml', () => {
    expect(checkConfiguration(service, readCompose()[service]?.environment ?? {})).toEqual({ status: 0, stderr: '' });
  });

  it('is complete in the Kubernetes base', () => {
    expect(checkConfiguration(service, readKubernetes(service))).toEqual({ status: 0, stderr: '' });
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
