import { ListTasksRequest, ListTasksResponse, TaskPriority, TaskStatus } from '#contract/tasks/v1/tasks';
import { callOnce, type LoadRequest } from '#dev/bench';
import { createdWithinMs, days, words } from '../data/task-drafts.ts';
import type { Caller } from '../data/people.ts';
import { enter, pathOf, type BenchCluster } from '../bench-cluster.ts';
import { getRequests, heavyCallers, listRequests, statsRequests } from './calls.ts';

type Fields = Partial<ListTasksRequest>;

const ago = (share: number): Date => new Date(Date.now() - createdWithinMs * share);
const open = [TaskStatus.PENDING, TaskStatus.IN_PROGRESS];

/** Each filter alone, each order, and typical combinations. All of them fill a page of 20 even in the smallest data. */
const lists: Readonly<Record<string, (caller: Caller) => Fields>> = {
  'first page': () => ({}),
  owner_id: ({ id }) => ({ ownerId: id }),
  'one status': () => ({ statuses: [TaskStatus.PENDING] }),
  'two statuses': () => ({ statuses: open }),
  'one priority': () => ({ priorities: [TaskPriority.HIGH] }),
  'due range': () => ({ dueStartTime: new Date(Date.now() - 5 * days), dueEndTime: new Date(Date.now() + 5 * days) }),
  'created range': () => ({ createStartTime: ago(0.6), createEndTime: ago(0.4) }),
  'updated range': () => ({ updateStartTime: ago(0.6), updateEndTime: ago(0.4) }),
  assignee: ({ id }) => ({ assigneeId: id }),
  label: () => ({ labels: ['garden'] }),
  overdue: () => ({ overdue: true }),
  'not overdue': () => ({ overdue: false }),
  'has due': () => ({ hasDue: true }),
  'has no due': () => ({ hasDue: false }),
  'common word': () => ({ text: words.common }),
  'rare word': () => ({ text: words.rare }),
  'deleted too': () => ({ showDeleted: true }),
  'by update': () => ({ orderBy: 'update_time desc' }),
  'by due': () => ({ orderBy: 'due_time' }),
  'by priority': () => ({ orderBy: 'priority desc' }),
  'by title': () => ({ orderBy: 'title' }),
  'by priority, due': () => ({ orderBy: 'priority desc, due_time' }),
  'open, by due': () => ({ statuses: open, orderBy: 'due_time' }),
  'open, by priority': () => ({ statuses: open, orderBy: 'priority desc' }),
  'open and urgent': () => ({ statuses: open, priorities: [TaskPriority.URGENT, TaskPriority.HIGH] }),
  'open, label': () => ({ statuses: open, labels: ['work'] }),
  'open, assignee': ({ id }) => ({ statuses: open, assigneeId: id }),
  'overdue, by due': () => ({ overdue: true, orderBy: 'due_time' }),
  'overdue, high': () => ({ overdue: true, priorities: [TaskPriority.HIGH, TaskPriority.URGENT] }),
  'due range, by due': () => ({
    dueStartTime: new Date(Date.now() - 5 * days),
    dueEndTime: new Date(Date.now() + 5 * days),
    orderBy: 'due_time',
  }),
  'updated since, by update': () => ({ updateStartTime: ago(0.2), orderBy: 'update_time' }),
  'label, by due': () => ({ labels: ['work'], orderBy: 'due_time' }),
  'open, common word': () => ({ statuses: open, text: words.common }),
  'common word, by due': () => ({ text: words.common, orderBy: 'due_time' }),
};

/** The page in the middle of each list, whose token comes from walking there. */
async function deepRequests(bench: BenchCluster): Promise<LoadRequest[]> {
  const tokens = new Map<string, string>();
  for (const caller of heavyCallers(bench)) tokens.set(caller.id, await walkToMiddle(bench, caller));
  return listRequests(bench, ({ id }) => ({ pageToken: tokens.get(id) ?? '' }));
}

async function walkToMiddle(bench: BenchCluster, { headers }: Caller): Promise<string> {
  const tokens: string[] = [];
  for (let pageToken = ''; ;) {
    const message = ListTasksRequest.encode(
      ListTasksRequest.fromPartial({ pageSize: 100, pageToken, readMask: ['id'] }),
    ).finish();
    const page = ListTasksResponse.decode(
      await callOnce(bench.cluster.address('tasks'), pathOf('listTasks'), message, headers),
    );
    if (page.nextPageToken === '') return tokens[Math.floor(tokens.length / 2)] ?? '';
    tokens.push((pageToken = page.nextPageToken));
  }
}

type Method = 'getTask' | 'getTaskStats' | 'listTasks';

const scenarios: Readonly<
  Record<string, { method: Method; requests: (bench: BenchCluster) => LoadRequest[] | Promise<LoadRequest[]> }>
> = {
  'growth: GetTask': { method: 'getTask', requests: getRequests },
  'growth: GetTaskStats': { method: 'getTaskStats', requests: statsRequests },
  ...Object.fromEntries(
    Object.entries(lists).map(
      ([name, fields]) =>
        [
          `growth: list, ${name}`,
          { method: 'listTasks', requests: (bench: BenchCluster) => listRequests(bench, fields) },
        ] as const,
    ),
  ),
  'growth: list, deep page': { method: 'listTasks', requests: deepRequests },
};

export const growthScenarios = Object.keys(scenarios);

const mostGrowth = 1.5;

/** Callers own 4 % of the tasks each. Their calls must not take longer the more tasks they own. */
export async function measureGrowth(large: BenchCluster, small: BenchCluster): Promise<void> {
  for (const [scenario, { method, requests }] of Object.entries(scenarios).filter(([name]) =>
    large.context.wants(name),
  )) {
    await large.people.keepSignedIn();
    await small.people.keepSignedIn();
    const [ofLarge, ofSmall] = [await requests(large), await requests(small)];
    const entrants = [
      enter(large.service(), method, () => ofLarge),
      enter(small.service(), method, () => ofSmall, mostGrowth),
    ];
    await large.measure(
      { scenario, inFlight: [1], entrants, compare: 'p50' },
      { rounds: 5, roundMs: 100, minCalls: 60, warmUpRounds: 1 },
    );
  }
}
