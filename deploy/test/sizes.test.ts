import { describe, expect, it } from '@jest/globals';
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Client } from 'pg';
import { parse } from 'yaml';
import { serviceNames } from '#libs/contract';
import { testPostgresUrl } from '#dev/cluster';
import { plannerSettings, sessionLimits } from '../../libs/db/src/orm.ts';
import {
  callsPerPod,
  connectionsPerPod,
  cpuOfCallMs,
  databaseConnections,
  podsMoreDuringRollout,
  reservedConnections,
  sizes,
  targetUtilization,
} from '../kubernetes/sizes.ts';
import { podOf, type Autoscaler, type Container, type DataManifest, type Workload } from './kubernetes-kinds.ts';
import { findOne, ofKind, overlays, renderOverlays, type Overlay } from './render.ts';

const rendered = renderOverlays();
const root = join(import.meta.dirname, '../..');
const scaling = readFileSync(join(root, 'deploy/scaling.md'), 'utf8');

/** "| GetTask | 0.31 / 0.07 ms |" → 0.31 */
const measuredCpuMs = (method: string): number =>
  Number(new RegExp(`^\\| ${method}[^|]*\\| ([\\d.]+) /`, 'm').exec(scaling)?.[1]);
const figure = (pattern: RegExp): number => Number(pattern.exec(scaling)?.[1]?.replaceAll(',', ''));
const servicePod = (overlay: Overlay, service: string): Workload =>
  findOne<Workload>(rendered[overlay], 'Deployment', `taskflow-${service}`) as Workload;
const autoscalerOf = (overlay: Overlay, service: string): Autoscaler | undefined =>
  ofKind<Autoscaler>(rendered[overlay], 'HorizontalPodAutoscaler').find(
    ({ spec }) => spec.scaleTargetRef.name === `taskflow-${service}`,
  );
const millicores = (cpu = ''): number => (cpu.endsWith('m') ? Number(cpu.slice(0, -1)) : Number(cpu) * 1000);
const poolOf = (overlay: Overlay, service: string): number =>
  Number(
    ofKind<DataManifest>(rendered[overlay], 'ConfigMap').flatMap(
      ({ data }) => data[`TASKFLOW_${service.toUpperCase()}_POOL_SIZE`] ?? [],
    )[0],
  );

/** Pods at most: the autoscaler's bound, or the fixed number. */
const podsAtMost = (overlay: Overlay, service: string): number =>
  autoscalerOf(overlay, service)?.spec.maxReplicas ?? servicePod(overlay, service).spec.replicas ?? 1;

describe('the sizes and what scaling.md has measured', () => {
  it('take the same CPU for a call', () => {
    const mix = { GetTask: 0.4, ListTasks: 0.3, GetTaskStats: 0.1, CreateTask: 0.1, UpdateTask: 0.1 };
    const cost = Object.entries(mix).reduce((sum, [method, share]) => sum + share * measuredCpuMs(method), 0);
    expect(cpuOfCallMs).toBeCloseTo(cost, 2);
    expect(figure(/that is ([\d.]+) ms of a service/)).toBe(cpuOfCallMs);
  });

  it('name the same load, cores, pods and connections', () => {
    const { carriesCallsPerSecond, services } = sizes.production;
    expect(figure(/^## 10 times: ([\d,]+) calls\/s/m)).toBe(carriesCallsPerSecond);
    const cores = (carriesCallsPerSecond * cpuOfCallMs) / 1000;
    expect(figure(/^\| tasks \| ([\d.]+) cores \| \*\*one process/m)).toBeCloseTo(cores, 1);
    expect(figure(/replicas: (\d+) pods at 70 % of a core/)).toBe(
      Math.ceil(carriesCallsPerSecond / callsPerPod(services.tasks)),
    );
    const { atMost, maxConnections } = databaseConnections(sizes.production);
    expect(figure(/^\| connections \| (\d+) at most/m)).toBe(atMost);
    expect(figure(/raise it to (\d+)/)).toBe(maxConnections);
  });
});

describe.each(overlays)('the size of the overlay %s', (overlay) => {
  it('carries its load while one pod of tasks is missing', () => {
    const { carriesCallsPerSecond } = sizes[overlay];
    const cpu = millicores(podOf(servicePod(overlay, 'tasks')).containers[0]?.resources.requests['cpu']);
    const ofPod = (cpu * targetUtilization) / 100 / cpuOfCallMs;
    expect((podsAtMost(overlay, 'tasks') - 1) * ofPod).toBeGreaterThanOrEqual(carriesCallsPerSecond);
    // One process is one core: to ask for more would keep the autoscaler from ever seeing it full.
    expect(cpu).toBeLessThanOrEqual(1000);
  });

  it('opens no more connections than the server allows, in a rolling update of everything at full size', () => {
    const ofPods = serviceNames.reduce((sum, service) => {
      const size = { ...sizes[overlay].services[service], poolSize: poolOf(overlay, service) };
      return sum + (podsAtMost(overlay, service) + podsMoreDuringRollout) * connectionsPerPod(service, size);
    }, 0);
    const jobs = ofKind<Workload>(rendered[overlay], 'Job').length + 1;
    const { maxConnections } = databaseConnections(sizes[overlay]);
    expect(ofPods + 2 * jobs + reservedConnections).toBeLessThanOrEqual(maxConnections);
    expect(scaling).toContain(`**${overlay}:** PostgreSQL's \`max_connections\` at least ${String(maxConnections)}`);
    const server = findOne<Workload>(rendered[overlay], 'StatefulSet', 'taskflow-postgres');
    if (server !== undefined)
      expect(podOf(server).containers[0]?.args).toContain(`max_connections=${String(maxConnections)}`);
  });

  it('has one pod that starts and one that ends in a rolling update, and no more', () => {
    for (const service of serviceNames) {
      const { minReadySeconds = 0, strategy, template } = servicePod(overlay, service).spec;
      expect(strategy?.rollingUpdate).toEqual({ maxSurge: 1, maxUnavailable: 0 });
      expect(minReadySeconds).toBeGreaterThanOrEqual(template.spec.terminationGracePeriodSeconds ?? 30);
    }
    expect(podsMoreDuringRollout).toBe(2);
  });

  it('is scaled by CPU, or has a fixed number of pods, never both', () => {
    for (const service of serviceNames) {
      const autoscaler = autoscalerOf(overlay, service);
      expect([
        autoscaler?.spec.minReplicas,
        autoscaler?.spec.metrics[0]?.resource?.target.averageUtilization,
        servicePod(overlay, service).spec.replicas,
      ]).toEqual(
        overlay === 'production'
          ? [sizes.production.services[service].pods.min, targetUtilization, undefined]
          : [undefined, undefined, sizes[overlay].services[service].pods.max],
      );
    }
  });
});

describe('PgBouncer', () => {
  const ini = readFileSync(join(root, 'deploy/pgbouncer/pgbouncer.ini'), 'utf8');
  const setting = (name: string): string => new RegExp(`^${name} = (.*)$`, 'm').exec(ini)?.[1] ?? '';

  it('takes every pod of production, and opens no more connections than scaling.md says', () => {
    const clients = serviceNames.reduce(
      (sum, service) =>
        sum +
        (podsAtMost('production', service) + podsMoreDuringRollout) *
          connectionsPerPod(service, sizes.production.services[service]),
      0,
    );
    expect(Number(setting('max_client_conn'))).toBeGreaterThanOrEqual(clients);
    const open = serviceNames.length * (Number(setting('default_pool_size')) + 2) + 1 + reservedConnections;
    expect(figure(/`max_connections` of (\d+) suffices/)).toBeGreaterThanOrEqual(open);
    expect(figure(/its\s+pods\s+share\s+(\d+)\s+connections\s+of\s+each\s+service/)).toBe(
      Number(setting('default_pool_size')),
    );
  });

  it('leaves to the roles what it ignores of the sessions, and they come to the same', async () => {
    const admin = new Client({ connectionString: testPostgresUrl() });
    await admin.connect();
    const suffix = randomBytes(4).toString('hex');
    const url = new URL(testPostgresUrl());
    url.password = suffix;
    const statements = readFileSync(join(root, 'deploy/pgbouncer/roles.sql'), 'utf8').replaceAll(
      /taskflow_\w+/g,
      (role) => `${role}_${suffix}`,
    );
    try {
      for (const service of serviceNames)
        await admin.query(`create role taskflow_${service}_${suffix} login password '${suffix}'`);
      await admin.query(statements);
      for (const service of serviceNames) {
        url.username = `taskflow_${service}_${suffix}`;
        const session = new Client({ connectionString: url.href });
        await session.connect();
        const { rows } = await session.query<{ name: string; setting: string }>(
          'select name, setting from pg_settings where name = any($1)',
          [[...Object.keys(sessionLimits), ...Object.keys(plannerSettings)]],
        );
        await session.end();
        expect(Object.fromEntries(rows.map(({ name, setting: value }) => [name, value]))).toEqual(
          Object.fromEntries(
            Object.entries({ ...sessionLimits, ...plannerSettings }).map(([name, value]) => [name, String(value)]),
          ),
        );
      }
      expect(setting('ignore_startup_parameters').split(', ').sort()).toEqual(
        [...Object.keys(sessionLimits), 'options'].sort(),
      );
    } finally {
      for (const service of serviceNames) await admin.query(`drop role if exists taskflow_${service}_${suffix}`);
      await admin.end();
    }
  });
});

describe('docker-compose.yml', () => {
  it('opens no more connections than PostgreSQL allows by default', () => {
    const { services } = parse(readFileSync(join(root, 'docker-compose.yml'), 'utf8'), { merge: true }) as {
      services: Record<string, Partial<Container>>;
    };
    expect(services['postgres']?.args).toBeUndefined();
    const poolByDefault = Number(
      /'POOL_SIZE'\)\]: envTypes\.positiveInt\((\d+)/.exec(
        readFileSync(join(root, 'libs/runtime/src/service-config.ts'), 'utf8'),
      )?.[1],
    );
    const open = serviceNames.reduce(
      (sum, service) => sum + connectionsPerPod(service, { ...sizes.dev.services[service], poolSize: poolByDefault }),
      0,
    );
    expect(open + 2 * serviceNames.length + 1 + reservedConnections).toBeLessThanOrEqual(100);
  });
});
