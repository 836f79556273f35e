import type { ListQuery } from '../deps.ts';
import { cellConditions, conditionsOf, createParameters } from './list-filters.ts';
import { afterCondition, orderBy, orderColumns } from './list-order.ts';
import { personOf, sourcesOf, type Source } from './list-sources.ts';
import { taskColumns } from './task-row.ts';

/** The most matches of a text that are found: the newest. */
export const maxTextMatches = 1000;

/** Nothing but the words may choose the index: every other one would have the words of each of its tasks computed. */
const matching: Readonly<Record<Source, string>> = {
  owned: 'task_words(owner_id, title, description)',
  assigned: 'assignee_id <> owner_id and task_words(assignee_id, title, description)',
};

/*
 * The index of words holds every word together with its person, so a search reads what that person's words match and
 * nothing of others. The newest matches are chosen before the page, so that all pages are of the same matches.
 */
export function searchCall(query: ListQuery): { text: string; values: unknown[] } {
  const parameters = createParameters();
  parameters.add(personOf(query), 'uuid');
  const { order, after, filter } = query;
  const words = `task_query($1::uuid, ${parameters.add(filter.text, 'text')})`;
  const conditions = [...conditionsOf(filter, parameters), ...cellConditions(filter, parameters)];
  const columns = [...new Set(['id', 'create_time', ...orderColumns(order)])].join(', ');
  const found = sourcesOf(query).map((source) => {
    const where = [...conditions, ...(source === 'assigned' ? ['delete_time is null'] : [])];
    return `(
      select ${columns} from (select * from tasks where ${matching[source]} @@ ${words} offset 0) tasks
      where ${where.join(' and ')} order by create_time desc, id desc limit ${maxTextMatches})`;
  });
  const rest = afterCondition(order, after, parameters);
  const text = `
    with found as materialized (
      select * from (${found.join(' union all ')}) matches order by create_time desc, id desc limit ${maxTextMatches})
    select ${taskColumns} from (
      select id from found ${rest.length === 0 ? '' : `where ${rest.join(' and ')}`} order by ${orderBy(order)} limit ${parameters.add(query.limit, 'int')}) page
    join tasks t using (id) order by ${orderBy(order)}`;
  return { text, values: parameters.values };
}
