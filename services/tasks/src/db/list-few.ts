import type { ListFilter, ListQuery } from '../deps.ts';
import { bucketConditions, conditionsOf, timeKeys, windowOf, wantsDue, type TimeKey } from './list-filters.ts';
import { afterCondition, leadingKey, orderBy } from './list-order.ts';
import { findsWords } from './list-search.ts';
import { isSeenDeleted, ownProjects } from './list-everything.ts';
import { streamIn, streamOf, sourceConditions, sourcesOf, type Source } from './list-ranges.ts';
import { createParameters, type Call, type Parameters } from './list-statements.ts';
import { taskColumns } from './task-row.ts';

/*
 * When only few tasks match the filter, a walk in the list's order passes many others. An index of one filter finds the few
 * directly: they are sorted, and the page is complete. When it finds more than a few, nothing is sorted, because the walk
 * meets them soon.
 */
const fewOf = (key: Key): number => (key === 'words' ? 2000 : 500);

/** The filters that have an index. */
type Key = 'words' | 'facets' | TimeKey;

/** The given filters that have an index, the most selective first. */
function keysOf(query: ListQuery): Key[] {
  const { filter, order } = query;
  const words: Key[] = filter.text === '' ? [] : ['words'];
  // This filter does not narrow down assigned tasks: all of them have this assignee.
  const bySelf = sourcesOf(query).includes('assigned') && filter.assigneeId !== '';
  if (filter.labels.length > 0 || (filter.assigneeId !== '' && !bySelf)) return [...words, 'facets'];
  const read = leadingKey(order);
  return [...words, ...timeKeys.filter((key) => key !== read && isLimited(key, filter)).slice(0, 1)];
}

function isLimited(key: TimeKey, filter: ListFilter): boolean {
  if (key === 'due_time') return !wantsDue(filter).undated;
  const { from, before } = key === 'create_time' ? filter.created : filter.updated;
  return from !== undefined || before !== undefined;
}

/** Conditions of this kind stand alone, or PostgreSQL would choose another index and read every task of the person. */
const facets: Readonly<Record<Source, string>> = {
  owned: 'task_facets(owner_id, labels, assignee_id)',
  assigned: 'delete_time is null and assignee_id <> owner_id and task_facets(assignee_id, labels, null)',
  project: 'project_id is not null and task_facets(project_id, labels, assignee_id)',
  shared: 'project_id is not null and task_facets(project_id, labels, assignee_id)',
};

function findingConditions(key: Key, source: Source, { filter }: ListQuery, parameters: Parameters): string[] {
  if (key === 'words') return [findsWords(filter.text, source, parameters)];
  if (key !== 'facets')
    return [
      ...sourceConditions[source],
      `${key} is not null`,
      ...bucketConditions(filter, parameters),
      ...windowOf(key, filter, parameters),
    ];
  const assignee = source !== 'assigned' && filter.assigneeId !== '' ? filter.assigneeId : null;
  return [
    `${facets[source]} @> task_facets(${streamIn(source)}, ${parameters.add(filter.labels, 'text[]')}, ${parameters.add(assignee, 'uuid')})`,
  ];
}

/** To be sent one after the other. Each finds the page when few tasks match, else `is_few` is false. */
export function fewCalls(query: ListQuery): Call[] {
  return keysOf(query).map((key) => fewCall(key, query));
}

function fewCall(key: Key, query: ListQuery): Call {
  const parameters = createParameters();
  parameters.add(streamOf(query), 'uuid');
  const { filter, order, after } = query;
  const few = fewOf(key);
  const find = (source: Source): string => {
    const conditions = findingConditions(key, source, query, parameters);
    if (source !== 'shared') return `(select id from tasks where ${conditions.join(' and ')} limit ${few + 1})`;
    return `(
      select found.id from own_projects range cross join lateral (
        select id from tasks where ${[...conditions, isSeenDeleted].join(' and ')} limit ${few + 1}) found
      limit ${few + 1})`;
  };
  const found = sourcesOf(query).map(find);
  const isMerged = 'everything' in query.whose;
  const rest = [
    ...bucketConditions(filter, parameters),
    ...conditionsOf(key === 'words' ? { ...filter, text: '' } : filter, parameters),
    ...afterCondition(order, after, parameters),
  ];
  const text = `
    with ${isMerged ? `${ownProjects}, ` : ''}found as materialized (
      select id from (${found.join(isMerged ? ' union ' : ' union all ')}) candidates limit ${few + 1}),
    counted as materialized (select count(*) <= ${few} as is_few from found)
    select counted.is_few, page.* from counted left join lateral (
      select ${taskColumns} from found join tasks t using (id)
      where ${['counted.is_few', ...rest].join(' and ')} order by ${orderBy(order)} limit ${parameters.add(query.limit, 'int')}) page on true`;
  return { text, values: parameters.values };
}
