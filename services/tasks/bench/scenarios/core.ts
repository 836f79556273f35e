import { enter, type World } from '../world.ts';
import { batchRequests, createRequests, getRequests, listRequests, only, statsRequests, updateRequests } from './calls.ts';

const inFlight = [1, 16, 64];

/** The methods that have ceilings, with these ceilings. */
export async function measureCeilings(world: World): Promise<void> {
  const { people, context } = world;
  await people.keepSignedIn();
  const [gets, lists] = [await getRequests(world), listRequests(world)];
  const echo = await world.startEcho({ getTask: only(gets), listTasks: only(lists), createTask: only(createRequests(world, 1)) });
  const contenders = [world.service(), world.prepared(), echo];
  try {
    if (context.wants('GetTask')) {
      await world.measure({ scenario: 'GetTask', inFlight, entrants: contenders.map((one) => enter(one, 'getTask', () => gets, one === echo ? 2.5 : undefined)) });
    }
    if (context.wants('ListTasks 20')) {
      await world.measure({ scenario: 'ListTasks 20', inFlight, entrants: contenders.map((one) => enter(one, 'listTasks', () => lists, one.name === 'Q' ? 1.5 : undefined)) });
    }
    if (context.wants('CreateTask')) {
      const entrants = contenders.map((one) => enter(one, 'createTask', () => createRequests(world), one.name === 'Q' ? 1.5 : undefined));
      await world.measure({ scenario: 'CreateTask', inFlight, entrants, once: true });
    }
  } finally {
    await echo.stop();
  }
}

/** Statistics beside the point read that they should cost at most twice as much as. */
export async function measureStats(world: World): Promise<void> {
  if (!world.context.wants('GetTaskStats')) return;
  await world.people.keepSignedIn();
  const [gets, stats] = [await getRequests(world), statsRequests(world)];
  const service = world.service();
  const entrants = [enter(service, 'getTaskStats', () => stats), enter({ ...service, name: 'GetTask' }, 'getTask', () => gets, 2)];
  await world.measure({ scenario: 'GetTaskStats', inFlight, entrants });
}

/** What changes a task, and what writes to much more than one row. */
export async function measureWrites(world: World): Promise<void> {
  const { context } = world;
  await world.people.keepSignedIn();
  if (context.wants('UpdateTask')) {
    const requests = await updateRequests(world);
    const entrants = [world.service(), world.prepared()].map((one) => enter(one, 'updateTask', requests, one.name === 'Q' ? 1.5 : undefined));
    await world.measure({ scenario: 'UpdateTask', inFlight, entrants, once: true });
  }
  const batches = { rounds: 2, minCalls: 20, warmUpRounds: 1 };
  if (context.wants('BatchCreateTasks 100')) {
    const entrants = [enter(world.service(), 'batchCreateTasks', () => batchRequests(world, 100, 100))];
    await world.measure({ scenario: 'BatchCreateTasks 100', inFlight, entrants, once: true, mayRefuse: true }, batches);
  }
  if (context.wants('BatchCreateTasks 500')) {
    // 64 at once would be 32,000 tasks on their way, and measure nothing but the queue.
    const entrants = [enter(world.service(), 'batchCreateTasks', () => batchRequests(world, 500, 40))];
    await world.measure({ scenario: 'BatchCreateTasks 500', inFlight: [1, 16], entrants, once: true, mayRefuse: true }, { ...batches, minCalls: 10 });
  }
}

/** Two processes of the service beside one. */
export async function measureReplicas(world: World): Promise<void> {
  const replicas = world.replicas();
  if (!world.context.wants('GetTask, replicas') || replicas.server.addresses.length < 2) return;
  await world.people.keepSignedIn();
  const gets = await getRequests(world);
  await world.measure({ scenario: 'GetTask, replicas', inFlight: [64], entrants: [replicas, world.service()].map((one) => enter(one, 'getTask', () => gets)) });
}
