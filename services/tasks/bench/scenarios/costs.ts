import { familyCpuMsOf, findPostgres, type LoadRequest } from '#dev/bench';
import { queryOnce } from '#dev/testing';
import { pathOf, type MethodName, type BenchCluster } from '../bench-cluster.ts';
import { createRequests, getRequests, listRequests, statsRequests, updateRequests } from './calls.ts';

const inFlight = 16;

/** What a call costs: CPU time of the service and of PostgreSQL, and bytes of PostgreSQL's log. */
export async function measureCosts(bench: BenchCluster): Promise<void> {
  const { context, people } = bench;
  if (!context.wants('costs')) return;
  const pid = await findPostgres(context.infrastructure.postgresAdminUrl);
  if (pid === undefined) return context.report('costs: left out, this system does not tell the CPU time of PostgreSQL');
  await people.keepSignedIn();
  const gets = await getRequests(bench);
  await measureOne(bench, pid, 'getTask', () => gets);
  await measureOne(bench, pid, 'listTasks', () => listRequests(bench));
  await measureOne(bench, pid, 'getTaskStats', () => statsRequests(bench));
  await measureOne(bench, pid, 'createTask', () => createRequests(bench));
  await measureOne(bench, pid, 'updateTask', await updateRequests(bench));
  await addSize(bench);
}

const isWrite = (method: MethodName): boolean => method === 'createTask' || method === 'updateTask';

async function measureOne(
  { context, service }: BenchCluster,
  postgresPid: number,
  method: MethodName,
  requests: () => readonly LoadRequest[],
): Promise<void> {
  const { generators, results, options, infrastructure } = context;
  const readPostgres = async () => ({
    cpuMs: familyCpuMsOf(postgresPid),
    walBytes: await readLogBytes(infrastructure.postgresAdminUrl),
  });
  const { server: measured } = service();
  const load = { addresses: measured.addresses, path: pathOf(method), inFlight, once: isWrite(method) };
  await generators.run({ ...load, requests: requests(), durationMs: options.pace.roundMs });
  const before = { cpuMs: await measured.cpuMs(), postgres: await readPostgres() };
  const { calls, failures } = await generators.run({
    ...load,
    requests: requests(),
    durationMs: 4 * options.pace.roundMs,
    minCalls: options.pace.minCalls,
  });
  const after = { cpuMs: await measured.cpuMs(), postgres: await readPostgres() };
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

/** How much PostgreSQL has written to its log so far. */
async function readLogBytes(adminUrl: string): Promise<number> {
  const [row] = await queryOnce<{ bytes: string }>(adminUrl, `select (pg_current_wal_lsn() - '0/0')::text as bytes`);
  return Number(row?.bytes);
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
