import { enter, type BenchCluster } from '../bench-cluster.ts';
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
      await bench.measure({
        scenario: 'GetTask',
        inFlight,
        entrants: contenders.map((one) => enter(one, 'getTask', () => gets, one === echo ? 2.5 : undefined)),
      });
    }
    if (context.wants('ListTasks 20')) {
      await bench.measure({
        scenario: 'ListTasks 20',
        inFlight,
        entrants: contenders.map((one) => enter(one, 'listTasks', () => lists, one.name === 'Q' ? 1.5 : undefined)),
      });
    }
    if (context.wants('CreateTask')) {
      const entrants = contenders.map((one) =>
        enter(one, 'createTask', () => createRequests(bench), one.name === 'Q' ? 1.5 : undefined),
      );
      await bench.measure({ scenario: 'CreateTask', inFlight, entrants, once: true });
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
      enter(one, 'updateTask', requests, one.name === 'Q' ? 1.5 : undefined),
    );
    await bench.measure({ scenario: 'UpdateTask', inFlight, entrants, once: true });
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
