import { TaskStatus, type ListTasksRequest } from '#contract/tasks/v1/tasks';
import type { BenchContext, Entrant, Suite } from '#dev/bench';
import { measureRest } from './cluster/rest.ts';
import { openWholeCluster, type WholeCluster } from './cluster/whole-cluster.ts';
import { enter, type MethodName } from './bench-cluster.ts';
import { createRequests, getRequests, listRequests, statsRequests } from './scenarios/calls.ts';
import { batchStatusRequests, findOpenTasks, statusRequests } from './scenarios/status-calls.ts';

const inFlight = [1, 16, 64];
const batchSize = 50;

/** What a call costs the whole cluster, all that follows from it included; and what the cluster costs without calls. */
async function run(context: BenchContext): Promise<void> {
  const { sizes = context.options.full ? [1_000_000] : [100_000] } = context.options;
  const tasks = Math.max(...sizes);
  const many = tasks >= 10_000;
  const whole = await openWholeCluster(context, { callers: many ? 64 : 16, people: many ? 1000 : 100 });
  if (whole === undefined)
    return context.report('cluster: left out, this system does not tell the CPU time of PostgreSQL');
  try {
    await whole.bench.grow(tasks);
    context.report('waiting until the scheduler has read all events and delivered all notifications');
    await whole.server.drained();
    await measureCalls(whole);
    if (context.wants('rest')) await measureRest(whole);
  } finally {
    await whole.stop();
  }
}

interface Call {
  readonly method: MethodName;
  readonly requests: Entrant['requests'];
  /** Where a round of the usual length would take too long. */
  readonly minCalls?: number;
}

/** All calls in turn, round after round. */
async function measureCalls({ bench, server }: WholeCluster): Promise<void> {
  const { context, people } = bench;
  await people.keepSignedIn();
  const entrants = Object.entries(await callsOf(bench))
    .filter(([name]) => context.wants(`cluster ${name}`))
    .map(([name, { method, requests, minCalls }]) => ({
      ...enter({ name, server, dataset: bench.service().dataset }, method, requests),
      once: method !== 'getTask' && method !== 'listTasks' && method !== 'getTaskStats',
      minCalls,
    }));
  if (entrants.length === 0) return;
  await bench.measure({ scenario: 'cluster', inFlight, entrants, mayRefuse: true, compare: 'none' });
}

const pendingOnly = (): Partial<ListTasksRequest> => ({ statuses: [TaskStatus.PENDING] });

async function callsOf(bench: WholeCluster['bench']): Promise<Record<string, Call>> {
  const gets = await getRequests(bench);
  const tasks = await findOpenTasks(bench);
  return {
    GetTask: { method: 'getTask', requests: () => gets },
    'ListTasks 20, status': { method: 'listTasks', requests: () => listRequests(bench, pendingOnly) },
    GetTaskStats: { method: 'getTaskStats', requests: () => statsRequests(bench) },
    CreateTask: { method: 'createTask', requests: () => createRequests(bench) },
    'UpdateTask, status': { method: 'updateTask', requests: statusRequests(tasks) },
    [`BatchUpdateTasks ${batchSize}`]: {
      method: 'batchUpdateTasks',
      requests: batchStatusRequests(tasks, batchSize),
      minCalls: 20,
    },
  };
}

export const suite: Suite = { run };
