import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { execFileSync, spawnSync } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { parse } from 'yaml';
import { imagesIn, podOf, secretsOf, workloadsIn, type DataManifest, type NetworkPolicy } from './kubernetes-kinds.ts';
import { schemaFaults, type Manifest } from './kubernetes-schema.ts';
import { canRender, findOne, nameOf, ofKind, overlays, renderFolder, renderings, renderOverlays } from './render.ts';

const checkout = join(import.meta.dirname, '../..');
const readme = readFileSync(join(checkout, 'deploy/README.md'), 'utf8');
const blocks = [...readme.matchAll(/^```(\w*)\n([^]*?)^```$/gm)].map(({ 1: language = '', 2: text = '', index }) => ({
  language,
  text,
  before: readme.slice(0, index),
}));
const commands = blocks.filter(({ language }) => language === 'sh');
const services = ['auth', 'users', 'tasks', 'scheduler'];
/** An overlay that is not recorded is only rendered where kubectl is: in continuous integration at the latest. */
const itRenders = canRender ? it : it.skip;

let folder: string;
let calls: string[];
const callsOf = (start: string): string[] => calls.filter((call) => call.startsWith(start));
const positionOf = (call: string): number => calls.findIndex((made) => made.startsWith(call));

/** A checkout in which the commands may write, and in which docker, kind and kubectl only record their calls. */
function prepareCheckout(): { checkout: string; stubs: string; log: string } {
  const copy = join(folder, 'checkout');
  mkdirSync(copy);
  cpSync(join(checkout, 'deploy'), join(copy, 'deploy'), { recursive: true });
  for (const name of ['libs', 'services', 'proto', 'node_modules', 'package.json', 'package-lock.json'])
    symlinkSync(join(checkout, name), join(copy, name));
  const stubs = join(folder, 'stubs');
  mkdirSync(stubs);
  for (const tool of ['docker', 'kind', 'kubectl']) {
    writeFileSync(
      join(stubs, tool),
      `#!/bin/bash\nprintf '%q ' ${tool} "$@" >>'${folder}/calls'\necho >>'${folder}/calls'\n`,
    );
    chmodSync(join(stubs, tool), 0o755);
  }
  return { checkout: copy, stubs, log: join(folder, 'calls') };
}

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'taskflow-readme-'));
  const place = prepareCheckout();
  for (const { text, before } of blocks.filter(({ language }) => language === 'yaml')) {
    const path = [...before.matchAll(/`(deploy\/kubernetes\/overlays\/mine[^`]*\.yaml)`/g)].at(-1)?.[1] ?? '';
    mkdirSync(join(place.checkout, dirname(path)), { recursive: true });
    writeFileSync(join(place.checkout, path), text);
  }
  const env = {
    ...process.env,
    PATH: `${place.stubs}:${process.env['PATH'] ?? ''}`,
    ADMIN_PASSWORD: 'a long passphrase',
    ADMIN_DATABASE_URL: 'postgres://postgres:x@db.example.net/postgres',
  };
  for (const { text } of commands) {
    const { status, stderr } = spawnSync('bash', ['-e', '-c', text], { cwd: place.checkout, env, encoding: 'utf8' });
    if (status !== 0) throw new Error(`${text}\n${stderr}`);
  }
  calls = readFileSync(place.log, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => line.trim());
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const mine = (): Manifest[] => renderFolder(join(folder, 'checkout/deploy/kubernetes/overlays/mine'));
const provision = (): Manifest[] => renderFolder(join(folder, 'checkout/deploy/kubernetes/overlays/mine/provision'));

/** Secrets that pods and the gateway cannot do without. */
function neededSecrets(manifests: readonly Manifest[]): string[] {
  const mounted = workloadsIn(manifests).map(podOf).flatMap(secretsOf);
  const certificates = [
    ...JSON.stringify(ofKind(manifests, 'Gateway')).matchAll(/"certificateRefs":\[\{"name":"([^"]+)"/g),
  ].map(([, name = '']) => name);
  return [...new Set([...mounted, ...certificates])];
}

describe('the commands of deploy/README.md', () => {
  it('need no Node that runs TypeScript, which the promised Node 20 does not', () => {
    expect(commands.length).toBeGreaterThan(6);
    expect(commands.filter(({ text }) => /(^|[;&|]\s*|\$\()\s*(node|npx) /m.test(text))).toEqual([]);
  });

  it('build an image of every service, from a file that is there', () => {
    for (const service of [...services, 'gateway']) {
      expect(callsOf('docker build').filter((call) => call.includes(`--build-arg SERVICE=${service} `))).toHaveLength(
        2,
      );
      expect(existsSync(join(checkout, `services/${service}/src/main.ts`))).toBe(true);
    }
    for (const call of callsOf('docker build')) expect(call).toContain('-f deploy/Dockerfile ');
  });

  itRenders(
    'make the secrets of the laptop where its overlay looks for them, and those of production outside of the checkout',
    () => {
      const checkoutOf = join(folder, 'checkout');
      expect(
        renderFolder(join(checkoutOf, 'deploy/kubernetes/overlays/dev')).filter(({ kind }) => kind === 'Secret'),
      ).toHaveLength(5);
      for (const service of services)
        expect(readFileSync(join(folder, `taskflow-secrets/${service}/database-url`), 'utf8')).toContain(
          '@db.example.net:5432/',
        );
    },
  );

  itRenders('make the namespace before anything in it, and every Secret before what needs it', () => {
    const namespace = positionOf('kubectl apply -f deploy/kubernetes/overlays/production/namespace.yaml');
    expect(namespace).toBeGreaterThan(0);
    const inside = calls.flatMap((call, index) => (/^kubectl -n taskflow /.test(call) ? [index] : []));
    expect(Math.min(...inside)).toBeGreaterThan(namespace);
    for (const [applied, manifests] of [
      ['mine/provision', provision()],
      ['mine', mine()],
    ] as const) {
      const made = calls
        .slice(0, positionOf(`kubectl apply -k deploy/kubernetes/overlays/${applied}`))
        .flatMap((call) => /create secret (?:generic|tls) (\S+)/.exec(call)?.[1] ?? []);
      expect(made).toEqual(expect.arrayContaining(neededSecrets(manifests)));
    }
    expect(positionOf('kubectl apply -k deploy/kubernetes/overlays/mine/provision')).toBeLessThan(
      calls.findIndex((call) => /apply -k \S+\/mine$/.test(call)),
    );
  });

  itRenders('wait for, follow and delete objects that are there', () => {
    const there = new Set(
      [...mine(), ...provision()].map((manifest) => nameOf(manifest).toLowerCase().replace(' ', '/')),
    );
    const named = calls
      .flatMap((call) => [...call.matchAll(/\b((?:deployment|job)\/taskflow-\S+)/g)].map(([, name = '']) => name))
      .concat(
        calls.flatMap((call) =>
          call.includes('delete job ') ? (call.match(/taskflow-\w+-migrate/g) ?? []).map((name) => `job/${name}`) : [],
        ),
      );
    expect(named.length).toBeGreaterThan(8);
    expect(named.filter((name) => !there.has(name))).toEqual([]);
  });

  it('make Secrets of files that are there, which the API would take', async () => {
    const made = calls.filter((call) => call.includes('create secret generic'));
    expect(made).toHaveLength(services.length + 2);
    const place = join(folder, 'checkout');
    for (const call of made) {
      for (const [, file = ''] of call.matchAll(/--from-file=(\S+)/g)) expect(existsSync(join(place, file))).toBe(true);
      if (!canRender) continue;
      const secret = parse(
        execFileSync('bash', ['-c', `${call} --dry-run=client -o yaml`], { cwd: place, encoding: 'utf8' }),
      ) as Manifest;
      expect(await schemaFaults(secret)).toEqual([]);
      expect(secret.metadata.namespace).toBe('taskflow');
    }
  });
});

describe('the commands of deploy/rotating-secrets.md', () => {
  const page = readFileSync(join(checkout, 'deploy/rotating-secrets.md'), 'utf8');

  it('replace the secrets that deploy/README.md made, and roll them out', () => {
    const cwd = join(folder, 'checkout');
    const urls = (): string[] =>
      services.map((service) => readFileSync(join(folder, `taskflow-secrets/${service}/database-url`), 'utf8').trim());
    const [before, steps] = [
      urls(),
      [...page.matchAll(/`(npm run secrets -- [^`]+)`/g)].map(([, command = '']) => command),
    ];
    expect(steps.map((step) => step.split(' --rotate ')[1])).toEqual(['next', 'use', 'retire']);
    for (const step of steps) execFileSync('bash', ['-e', '-c', step], { cwd, stdio: 'pipe' });
    for (const [index, url] of urls().entries())
      expect([url.split('\n').length, url === before[index]]).toEqual([1, false]);
    const rolledOut = [...page.matchAll(/--from-file=(\S+)\$s/g)].map(([, path = '']) => join(cwd, path));
    expect(rolledOut).toEqual([`${join(folder, 'taskflow-secrets')}/`]);
  });
});

describe('the overlay of one’s own in deploy/README.md', () => {
  itRenders('replaces every value that production only has as an example', () => {
    const manifests = [...mine(), ...provision()];
    expect(imagesIn(manifests).filter((image) => !image.startsWith('registry.example.net/taskflow/'))).toEqual([]);
    expect(ofKind(manifests, 'Gateway')).toMatchObject([
      {
        spec: {
          gatewayClassName: 'envoy',
          listeners: [{ hostname: 'tasks.example.net' }, { hostname: 'api.example.net' }],
        },
      },
    ]);
    const config = ofKind<DataManifest>(manifests, 'ConfigMap').find(
      ({ data }) => data['TASKFLOW_ENV'] !== undefined,
    )?.data;
    expect(config).toMatchObject({
      TASKFLOW_TRUSTED_PROXIES: '10.244.0.0/16',
      TASKFLOW_REDIS_URL: 'redis://queues.taskflow-data:6379',
      TASKFLOW_TASKS_POOL_SIZE: '10',
    });
    const fromGateway = findOne<NetworkPolicy>(manifests, 'NetworkPolicy', 'taskflow-from-gateway');
    expect(fromGateway?.spec.ingress?.[0]?.from?.[0]?.namespaceSelector?.matchExpressions?.[0]?.values).toEqual([
      'envoy-gateway-system',
    ]);
  });
});

describe('what deploy/README.md says that the cluster needs', () => {
  const rendered = renderOverlays();
  const everything = renderings.flatMap((name) => rendered[name]);

  it('is the lowest Kubernetes with every field that is used', () => {
    /** Since when a field works without a feature gate that somebody has to open. */
    const fields: [RegExp, number][] = [
      [/"preStop":\{"sleep":/, 30],
      [/"matchLabelKeys":/, 27],
      [/"unhealthyPodEvictionPolicy":/, 27],
      [/"livenessProbe":\{[^}]*"grpc":/, 24],
      [/"apiVersion":"autoscaling\/v2"/, 23],
    ];
    const text = JSON.stringify(everything);
    const used = fields.filter(([field]) => field.test(text));
    expect(used).toEqual(fields);
    expect(readme).toContain(`**Kubernetes 1.${String(Math.max(...used.map(([, version]) => version)))}** or newer`);
  });

  it('has every kind that Kubernetes does not bring along, and where it is used', () => {
    const known = /^(v1|apps\/v1|batch\/v1|autoscaling\/v2|policy\/v1|networking\.k8s\.io\/v1)$/;
    for (const overlay of overlays) {
      for (const { apiVersion, kind } of rendered[overlay].filter((manifest) => !known.test(manifest.apiVersion))) {
        expect(readme).toMatch(
          new RegExp(
            `^\\|[^|]*\`${kind}\`[^|]*\`${apiVersion.replaceAll('.', '\\.')}\`[^|]*\\|[^|]*\\|[^|]*${overlay}`,
            'm',
          ),
        );
      }
    }
  });
});
