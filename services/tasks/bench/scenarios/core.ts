import { randomUUID } from 'node:crypto';
import { Client } from 'pg';
import { CreateTaskRequest, GetTaskRequest, ListTasksRequest, Task, TaskPriority } from '#contract/tasks/v1/tasks';
import type { LoadRequest } from '#libs/bench';
import { requestsFor, type World } from '../world.ts';
import type { Caller } from '../data/people.ts';

const inFlight = [1, 16, 64];

/** Ids of some of the callers' own tasks, by caller. */
export async function findOwnTasks(world: World, each: number): Promise<Map<string, string[]>> {
  const client = new Client({ connectionString: world.cluster.databaseUrl('tasks') });
  await client.connect();
  try {
    const text = `
      select owner_id, array_agg(id::text) as ids from (
        select owner_id, id, row_number() over (partition by owner_id order by hashtext(id::text)) as place from tasks
        where owner_id = any ($1::uuid[]) and delete_time is null) t
      where place <= $2 group by owner_id`;
    const { rows } = await client.query<{ owner_id: string; ids: string[] }>(text, [world.people.callers.map(({ id }) => id), each]);
    return new Map(rows.map((row) => [row.owner_id, row.ids]));
  } finally {
    await client.end();
  }
}

/** Callers who own tasks, and a request for each of these tasks. */
export async function getRequests(world: World): Promise<LoadRequest[]> {
  const own = await findOwnTasks(world, 100);
  const calls = world.people.callers.flatMap((caller) => (own.get(caller.id) ?? []).map((taskId) => ({ caller, taskId })));
  const mixed = calls.map((call, index) => ({ call, place: (index * 7919) % calls.length })).sort((a, b) => a.place - b.place);
  return mixed.map(({ call: { caller, taskId } }) => ({ message: GetTaskRequest.encode({ taskId }).finish(), headers: caller.headers }));
}

export function listRequest(fields: Partial<ListTasksRequest>): Uint8Array {
  return ListTasksRequest.encode(ListTasksRequest.fromPartial({ pageSize: 20, ...fields })).finish();
}

export const priorities = [TaskPriority.LOW, TaskPriority.MEDIUM, TaskPriority.HIGH, TaskPriority.URGENT];

/** A typical new task: half of them have a due time. */
export function newTask(index: number): Task {
  return Task.fromPartial({
    title: `call the garden centre about order ${index}`,
    description: index % 2 === 0 ? 'They open at nine and close at noon; ask for the invoice of the last delivery as well.' : '',
    priority: priorities[index % priorities.length] ?? TaskPriority.LOW,
    labels: index % 3 === 0 ? ['garden', 'phone'] : [],
    dueTime: index % 2 === 0 ? new Date(Date.now() + 86_400_000) : undefined,
  });
}

let created = 0;

/** Fresh ones at every call, each with a request id of its own. */
export function createRequests(callers: readonly Caller[], count: number): LoadRequest[] {
  return requestsFor(callers, count, () => CreateTaskRequest.encode({ task: newTask((created += 1)), requestId: randomUUID(), validateOnly: false }).finish());
}

/** More than a round can use up. */
export const writesPerRound = 6000;

/** The three methods that have ceilings. */
export async function measureCore(world: World): Promise<void> {
  const { people, service, prepared, context } = world;
  await people.keepSignedIn();
  const gets = await getRequests(world);
  const heavy = people.callers.slice(0, 8);
  const lists = requestsFor(heavy, heavy.length, () => listRequest({}));
  const [get] = gets as [LoadRequest];
  const [list] = lists as [LoadRequest];
  const [create] = createRequests(people.callers, 1) as [LoadRequest];
  const echo = await world.startEcho({ getTask: get, listTasks: list, createTask: create });
  const contenders = [service, prepared, echo];
  try {
    if (context.wants('GetTask')) await world.measure({ scenario: 'GetTask', method: 'getTask', inFlight, contenders, requests: () => gets, aims: { E: 2.5 } });
    if (context.wants('ListTasks 20')) await world.measure({ scenario: 'ListTasks 20', method: 'listTasks', inFlight, contenders, requests: () => lists, aims: { Q: 1.5 } });
    if (context.wants('CreateTask')) {
      const requests = () => createRequests(people.callers, writesPerRound);
      await world.measure({ scenario: 'CreateTask', method: 'createTask', inFlight, contenders, requests, once: true, aims: { Q: 1.5 } });
    }
  } finally {
    await echo.stop();
  }
}
