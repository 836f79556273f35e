import { existsSync, readFileSync } from 'node:fs';
import { Client } from 'pg';
import type { LoadRequest } from '#dev/bench';
import { queryOnce } from '#dev/testing';
import { pathOf, type MethodName, type BenchCluster } from '../bench-cluster.ts';
import { createRequests, getRequests, listRequests, statsRequests, updateRequests } from './calls.ts';

const inFlight = 16;
/** The unit of CPU time in /proc/PID/stat. */
const tickMs = 10;

/** What a call costs: CPU time of the service and of PostgreSQL, and bytes of PostgreSQL's log. */
export async function measureCosts(bench: BenchCluster): Promise<void> {
  const { context, people } = bench;
  if (!context.wants('costs')) return;
  if (!existsSync('/proc/self/stat'))
    return context.report('costs: left out, this system does not tell the CPU time of PostgreSQL');
  await people.keepSignedIn();
  const server = new Client({ connectionString: context.infrastructure.postgresAdminUrl });
  await server.connect();
  try {
    const gets = await getRequests(bench);
    await measureOne(bench, server, 'getTask', () => gets);
    await measureOne(bench, server, 'listTasks', () => listRequests(bench));
    await measureOne(bench, server, 'getTaskStats', () => statsRequests(bench));
    await measureOne(bench, server, 'createTask', () => createRequests(bench));
    await measureOne(bench, server, 'updateTask', await updateRequests(bench));
    await addSize(bench);
  } finally {
    await server.end();
  }
}

const isWrite = (method: MethodName): boolean => method === 'createTask' || method === 'updateTask';

async function measureOne(
  { context, service }: BenchCluster,
  server: Client,
  method: MethodName,
  requests: () => readonly LoadRequest[],
): Promise<void> {
  const { generators, results, options } = context;
  const { server: measured } = service();
  const load = { addresses: measured.addresses, path: pathOf(method), inFlight, once: isWrite(method) };
  await generators.run({ ...load, requests: requests(), durationMs: options.pace.roundMs });
  const before = { cpuMs: await measured.cpuMs(), postgres: await readPostgres(server) };
  const { calls, failures } = await generators.run({
    ...load,
    requests: requests(),
    durationMs: 4 * options.pace.roundMs,
    minCalls: options.pace.minCalls,
  });
  const after = { cpuMs: await measured.cpuMs(), postgres: await readPostgres(server) };
  const name = (what: string): string => `costs of ${pathOf(method).replace(/.*\//, '')}: ${what}`;
  results.figures.push(
    { name: name('calls that failed'), value: failures, unit: 'calls', mustBeZero: true },
    { name: name('CPU of the service'), value: (after.cpuMs - before.cpuMs) / calls, unit: 'ms/call' },
    { name: name('CPU of PostgreSQL'), value: (after.postgres.cpuMs - before.postgres.cpuMs) / calls, unit: 'ms/call' },
  );
  if (isWrite(method))
    results.figures.push({
      name: name('log of PostgreSQL'),
      value: (after.postgres.walBytes - before.postgres.walBytes) / calls,
      unit: 'bytes/call',
    });
}

/** Of all current processes of PostgreSQL. */
async function readPostgres(server: Client): Promise<{ cpuMs: number; walBytes: number }> {
  const { rows } = await server.query<{ pid: number; wal: string }>(
    `select pid, (pg_current_wal_lsn() - '0/0')::text as wal from pg_stat_activity`,
  );
  return { cpuMs: rows.reduce((sum, { pid }) => sum + cpuMsOf(pid), 0), walBytes: Number(rows[0]?.wal ?? 0) };
}

/** The numbers follow the name, which is in brackets and may have spaces. */
function cpuMsOf(pid: number): number {
  const file = `/proc/${pid}/stat`;
  if (!existsSync(file)) return 0;
  const fields = readFileSync(file, 'utf8').split(') ')[1]?.split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) * tickMs;
}

/** The disk space of a task, with its events and all indexes. */
async function addSize({ context, cluster }: BenchCluster): Promise<void> {
  const [row] = await queryOnce<{ bytes: string }>(
    cluster.databaseUrl('tasks'),
    'select pg_database_size(current_database()) / (select count(*) from tasks) as bytes',
  );
  context.results.figures.push({
    name: 'room of a task, with its events and all indexes',
    value: Number(row?.bytes),
    unit: 'bytes',
  });
}
