import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Client, credentials } from '@grpc/grpc-js';
import { ServerFeature, ServerInfoServiceService } from '#contract/server/v1/server';
import { policies, policyOf, serviceNames, type ServiceName } from '#libs/contract';
import { waitUntil } from '#dev/cluster';
import { openStub } from '#dev/stubs';
import { HealthService } from '../../contract/src/gen/grpc/health/v1/health.ts';
import {
  ServerReflectionService,
  type ServerReflectionResponse,
} from '../../contract/src/gen/grpc/reflection/v1/reflection.ts';
import { startTestCluster, type TestCluster } from './test-cluster.ts';

let testCluster: TestCluster;

beforeAll(async () => {
  testCluster = await startTestCluster({
    env: {
      TASKFLOW_SCHEDULER_SWEEP_INTERVAL_MS: '3600000',
      TASKFLOW_COMMIT: 'abc1234',
      TASKFLOW_RATE_LIMITS: '{"taskflow.tasks.v1.TasksService/GetTask":{"requests":7,"perSeconds":60}}',
    },
  });
});
afterAll(() => testCluster?.stop());

const pathOf = (name: string): string => new URL(`../../../${name}`, import.meta.url).pathname;

/** As this cluster is configured: auth hands mails over. */
function featuresOf(service: string): ServerFeature[] {
  const { API_DOCS, MAIL, REFLECTION } = ServerFeature;
  return service === 'auth' ? [API_DOCS, REFLECTION, MAIL] : [API_DOCS, REFLECTION];
}

describe('G11: a server says what it is', () => {
  it.each(serviceNames)('%s tells its version, its schema, its limits as they are configured', async (service) => {
    const client = openStub(ServerInfoServiceService, testCluster.cluster.address(service));
    const info = await client.getServerInfo({});
    client.close();
    const { version } = JSON.parse(readFileSync(pathOf('package.json'), 'utf8')) as { version: string };
    expect(info).toMatchObject({
      service,
      version,
      commit: 'abc1234',
      schemaVersion: expect.stringMatching(/^\d{4}-/),
      features: featuresOf(service),
      maxMessageBytes: 4_194_304n,
    });
    expect(info.startTime?.getTime()).toBeLessThanOrEqual(info.serverTime?.getTime() ?? 0);
    const own = [...policies.keys()]
      .filter((path) => path.startsWith(`/taskflow.${service}.`))
      .map((path) => path.slice(1));
    expect(info.methodLimits.map(({ method }) => method).sort()).toEqual(own.sort());
    for (const { method, deadline } of info.methodLimits)
      expect(Number(deadline?.seconds) * 1000).toBe(policyOf(`/${method}`).deadlineMs);
    const limited = info.methodLimits.find(({ method }) => method.endsWith('TasksService/GetTask'));
    if (service === 'tasks')
      expect(limited).toMatchObject({ rateLimitRequestCount: 7n, rateLimitPeriod: { seconds: 60n } });
  });
});

/** The names that a server lists by reflection. */
async function listServices(channel: Client): Promise<string[]> {
  const { path, requestSerialize, responseDeserialize } = ServerReflectionService.serverReflectionInfo;
  const call = channel.makeBidiStreamRequest(path, requestSerialize, responseDeserialize);
  call.write({ host: '', messageRequest: { $case: 'listServices', value: '' } });
  call.end();
  const names: string[] = [];
  for await (const { messageResponse } of call as AsyncIterable<ServerReflectionResponse>) {
    if (messageResponse?.$case === 'listServicesResponse')
      names.push(...messageResponse.value.service.map(({ name }) => name));
  }
  return names;
}

function checkHealth(channel: Client, service: string): Promise<string | undefined> {
  const { path, requestSerialize, responseDeserialize } = HealthService.check;
  return new Promise((resolve, reject) => {
    channel.makeUnaryRequest(path, requestSerialize, responseDeserialize, { service }, (error, answer) =>
      error === null ? resolve(answer?.status) : reject(error),
    );
  });
}

describe('G6: the port of a service', () => {
  it.each(serviceNames)('%s lists all that it serves, and tells the health of each by its name', async (service) => {
    const channel = new Client(testCluster.cluster.address(service), credentials.createInsecure());
    try {
      const listed = await listServices(channel);
      const own = [...policies.values()]
        .map((policy) => policy.service)
        .filter((name) => name.startsWith(`taskflow.${service}.`));
      expect(listed).toEqual(
        expect.arrayContaining([
          ...own,
          'taskflow.server.v1.ServerInfoService',
          'grpc.health.v1.Health',
          'grpc.reflection.v1.ServerReflection',
        ]),
      );
      expect(
        listed.filter((name) =>
          serviceNames.some((other) => other !== service && name.startsWith(`taskflow.${other}.`)),
        ),
      ).toEqual([]);
      for (const name of ['', ...listed.filter((one) => one.startsWith('taskflow.'))])
        expect([name, await checkHealth(channel, name)]).toEqual([name, 'SERVING']);
    } finally {
      channel.close();
    }
  });
});

describe('J7: the API reference', () => {
  const read = (path: string): Promise<Response> => fetch(new URL(path, testCluster.cluster.httpAddress('tasks')));

  it('is served on the HTTP port while developing, from files of its own alone', async () => {
    const page = await read('/docs');
    expect(page.headers.get('content-type')).toMatch('text/html');
    expect(page.headers.get('content-security-policy')).toMatch("default-src 'none'; script-src 'self';");
    const scripts = [...(await page.text()).matchAll(/(?:src|href)="([^"]+)"/g)].map(([, place = '']) => place);
    expect(scripts.filter((place) => /^\w+:|^\/\//.test(place))).toEqual(['data:,']);
    for (const place of scripts.filter((place) => place.startsWith('/'))) {
      const script = await read(place);
      expect([place, script.status, script.headers.get('content-type')]).toEqual([
        place,
        200,
        'text/javascript; charset=utf-8',
      ]);
    }
  });

  it('has an OpenAPI document with every method that people may call', async () => {
    const { paths } = (await (await read('/docs/openapi.json')).json()) as { paths: object };
    const methods = [...policies.values()].filter(({ access }) => access !== 'service');
    const named = Object.keys(paths).map((path) => path.replace('/{server}', ''));
    expect(named).toEqual(expect.arrayContaining(methods.map(({ path }) => path)));
  });
});

interface Documented {
  name: string;
  type: string;
  labels: string[];
  services: ServiceName[];
  onFirstUse: boolean;
}

function readDocumented(): Documented[] {
  const rows = readFileSync(pathOf('deploy/observability/metrics.md'), 'utf8')
    .split('\n')
    .filter((line) => line.startsWith('| `'));
  // What only the gateway has, its own tests look at.
  return rows
    .filter((row) => !row.includes('| gateway* |'))
    .map((row) => {
      const [, name = '', type = '', labels = '', places = ''] = row.split('|').map((cell) => cell.trim());
      const named = places.replace('*', '').split(', ');
      const services = serviceNames.filter((service) => named.includes('all') || named.includes(service));
      return {
        name: name.replaceAll('`', ''),
        type,
        labels: labels.split(', ').filter((label) => label !== ''),
        services,
        onFirstUse: places.endsWith('*'),
      };
    });
}

/** The metrics of a page: type, and the labels of each series but those that all have. */
function readPage(page: string): Map<string, { type: string; labels: Set<string> }> {
  const found = new Map<string, { type: string; labels: Set<string> }>();
  for (const [, name = '', type = ''] of page.matchAll(/^# TYPE (\S+) (\S+)$/gm))
    found.set(name, { type, labels: new Set() });
  for (const [, sample = '', labels = ''] of page.matchAll(/^([a-z_0-9]+)\{([^}]*)\} /gm)) {
    const metric = found.get(sample) ?? found.get(sample.replace(/_(bucket|sum|count)$/, ''));
    for (const label of ownLabels(labels)) metric?.labels.add(label);
  }
  return found;
}

function ownLabels(labels: string): string[] {
  return [...labels.matchAll(/([a-z_]+)="/g)]
    .map(([, label = '']) => label)
    .filter((label) => !['service', 'le'].includes(label));
}

describe('H3, H5: the metrics that deploy/observability/metrics.md promises', () => {
  const documented = readDocumented();
  const pages = new Map<ServiceName, ReturnType<typeof readPage>>();

  beforeAll(async () => {
    const [owner, assignee] = [await testCluster.register(), await testCluster.register()];
    await testCluster.createTask(owner, assignee);
    const shown = (service: ServiceName, series: RegExp) =>
      waitUntil(async () => series.test(await testCluster.cluster.metrics(service)));
    await shown('scheduler', /^taskflow_job_runs_total\{.*outcome="completed"/m);
    await shown('scheduler', /^taskflow_queue_depth\{/m);
    await shown('tasks', /^taskflow_overdue_lag_seconds\{/m);
    await shown('auth', /^outbox_attempts_total\{/m);
    for (const service of serviceNames) pages.set(service, readPage(await testCluster.cluster.metrics(service)));
  });

  it.each(documented.map((metric) => [metric.name, metric] as const))(
    '%s',
    (name, { type, labels, services, onFirstUse }) => {
      expect(services).not.toEqual([]);
      for (const service of services) {
        const metric = pages.get(service)?.get(name);
        if (metric === undefined && onFirstUse) continue;
        expect([service, metric?.type]).toEqual([service, type]);
        if (metric !== undefined && metric.labels.size > 0)
          expect([...metric.labels].sort()).toEqual([...labels].sort());
      }
    },
  );

  it('are all that there are', () => {
    const known = new Set(documented.map(({ name }) => name));
    const unknown = [...pages.values()]
      .flatMap((page) => [...page.keys()])
      .filter((name) => !known.has(name) && !/^(process|nodejs)_/.test(name));
    expect([...new Set(unknown)]).toEqual([]);
  });

  it('have no series for methods of other services that are never called', async () => {
    expect([...(pages.get('users')?.keys() ?? [])]).toContain('grpc_client_breaker_state');
    const callable = new Set(
      [...policies.values()].filter(({ callers }) => callers.includes('users')).map(({ path }) => path.slice(1)),
    );
    const page = await testCluster.cluster.metrics('users');
    for (const [, method = ''] of page.matchAll(/^grpc_client_breaker_state\{.*method="([^"]+)"/gm))
      expect(callable).toContain(method);
  });
});
