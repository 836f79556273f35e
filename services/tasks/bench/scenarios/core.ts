import { toRatio, type Measured } from '#dev/bench';
import { enter, type BenchCluster, type MethodName } from '../bench-cluster.ts';
import {
  batchRequests,
  createRequests,
  getRequests,
  listRequests,
  only,
  statsRequests,
  updateRequests,
} from './calls.ts';

const inFlight = [1, 16, 64];

/** How many times the CPU time of a ceiling a call may need. Writes of several callers share a transaction; Q's do not. */
const aims: Partial<Record<MethodName, Readonly<Record<string, number>>>> = {
  getTask: { Q: 1.3, E: 3 },
  listTasks: { Q: 1.5 },
  createTask: { Q: 1 },
  updateTask: { Q: 1.2 },
};

const aimOf = (method: MethodName, ceiling: string): number | undefined => aims[method]?.[ceiling];

/** How many times as long as in Q a call may take that is alone. */
const loneCallAim = 1.5;

/** What sharing costs a call that has nobody to share with: the median time of calls one after the other, beside Q's. */
function addLoneCalls({ context }: BenchCluster, scenario: string, [lone = []]: readonly Measured[][]): void {
  const [service, prepared] = lone;
  if (service === undefined || prepared === undefined) return;
  const { dataset } = service.row;
  const about = { name: `${scenario}, p50 of a lone call / Q`, dataset, inFlight: 1, aim: loneCallAim };
  context.results.ratios.push(toRatio(about, service.p50Ms, prepared.p50Ms));
}

/** The methods that have ceilings, beside those. */
export async function measureCeilings(bench: BenchCluster): Promise<void> {
  const { people, context } = bench;
  await people.keepSignedIn();
  const [gets, lists] = [await getRequests(bench), listRequests(bench)];
  const echo = await bench.startEcho({
    getTask: only(gets),
    listTasks: only(lists),
    createTask: only(createRequests(bench, 1)),
  });
  const contenders = [bench.service(), bench.prepared(), echo];
  try {
    if (context.wants('GetTask')) {
      const entrants = contenders.map((one) => enter(one, 'getTask', () => gets, aimOf('getTask', one.name)));
      addLoneCalls(bench, 'GetTask', await bench.measure({ scenario: 'GetTask', inFlight, entrants }));
    }
    if (context.wants('ListTasks 20')) {
      const entrants = contenders.map((one) => enter(one, 'listTasks', () => lists, aimOf('listTasks', one.name)));
      addLoneCalls(bench, 'ListTasks 20', await bench.measure({ scenario: 'ListTasks 20', inFlight, entrants }));
    }
    if (context.wants('CreateTask')) {
      const entrants = contenders.map((one) =>
        enter(one, 'createTask', () => createRequests(bench), aimOf('createTask', one.name)),
      );
      const measured = await bench.measure({ scenario: 'CreateTask', inFlight, entrants, once: true });
      addLoneCalls(bench, 'CreateTask', measured);
    }
  } finally {
    await echo.stop();
  }
}

/** Statistics beside a point read: they should cost at most twice as much. */
export async function measureStats(bench: BenchCluster): Promise<void> {
  if (!bench.context.wants('GetTaskStats')) return;
  await bench.people.keepSignedIn();
  const [gets, stats] = [await getRequests(bench), statsRequests(bench)];
  const service = bench.service();
  const entrants = [
    enter(service, 'getTaskStats', () => stats),
    enter({ ...service, name: 'GetTask' }, 'getTask', () => gets, 2),
  ];
  await bench.measure({ scenario: 'GetTaskStats', inFlight, entrants });
}

/** Updates and batches. */
export async function measureWrites(bench: BenchCluster): Promise<void> {
  const { context } = bench;
  await bench.people.keepSignedIn();
  if (context.wants('UpdateTask')) {
    const requests = await updateRequests(bench);
    const entrants = [bench.service(), bench.prepared()].map((one) =>
      enter(one, 'updateTask', requests, aimOf('updateTask', one.name)),
    );
    const measured = await bench.measure({ scenario: 'UpdateTask', inFlight, entrants, once: true });
    addLoneCalls(bench, 'UpdateTask', measured);
  }
  const batches = { rounds: 2, minCalls: 20, warmUpRounds: 1 };
  if (context.wants('BatchCreateTasks 100')) {
    const entrants = [enter(bench.service(), 'batchCreateTasks', () => batchRequests(bench, 100, 100))];
    await bench.measure({ scenario: 'BatchCreateTasks 100', inFlight, entrants, once: true, mayRefuse: true }, batches);
  }
  if (context.wants('BatchCreateTasks 500')) {
    // 64 at once would be 32,000 tasks in flight and measure only the queue.
    const entrants = [enter(bench.service(), 'batchCreateTasks', () => batchRequests(bench, 500, 40))];
    await bench.measure(
      { scenario: 'BatchCreateTasks 500', inFlight: [1, 16], entrants, once: true, mayRefuse: true },
      { ...batches, minCalls: 10 },
    );
  }
}

/** Two processes of the service beside one. */
export async function measureReplicas(bench: BenchCluster): Promise<void> {
  const replicas = bench.replicas();
  if (!bench.context.wants('GetTask, replicas') || replicas.server.addresses.length < 2) return;
  await bench.people.keepSignedIn();
  const gets = await getRequests(bench);
  await bench.measure({
    scenario: 'GetTask, replicas',
    inFlight: [64],
    entrants: [replicas, bench.service()].map((one) => enter(one, 'getTask', () => gets)),
  });
}
