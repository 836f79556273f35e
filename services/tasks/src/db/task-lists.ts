import type { SqlReader } from '#libs/db';
import type { Task } from '#contract/tasks/v1/tasks';
import type { ListPosition, ListQuery } from '../deps.ts';
import { countFitting, sizeOfTask } from '../domain/message-size.ts';
import type { Reach, Walk } from './list-cells.ts';
import { fewCalls } from './list-few.ts';
import { positionOf } from './list-order.ts';
import { createStatementNames } from './list-statements.ts';
import { partGroups, walkCall } from './list-walk.ts';
import { toTask, type TaskRow } from './task-row.ts';

/** `next` is undefined at the end. */
export interface Page {
  tasks: Task[];
  next: ListPosition | undefined;
}

/** First; words are costlier to try than other filters, and an index tells soon that they are rare. */
const shortReach = ({ filter, limit }: ListQuery): Reach => ({ inCell: filter.text === '' ? 100 : 25, inAll: 200 + 5 * limit });
/** When it is known that there are more than a few to find. */
const longReach: Reach = { inCell: 300, inAll: 4800 };

export function createTaskLists(reader: SqlReader): { read(query: ListQuery): Promise<Page> } {
  const prepare = createStatementNames();
  const run = <Row>({ text, values }: { text: string; values: unknown[] }): Promise<Row[]> => reader.query<Row>(prepare(text), values);

  /** One more than asked for tells whether another page follows. */
  async function findFew(query: ListQuery): Promise<Page | undefined> {
    for (const call of fewCalls({ ...query, limit: query.limit + 1 })) {
      const rows = await run<(TaskRow | { id: null }) & { is_few: boolean }>(call);
      if (rows[0]?.is_few === true) return toPage(rows.flatMap((row) => (row.id === null ? [] : toTask(row))), query);
    }
    return undefined;
  }

  /** The rows of one group of parts, up to the place where the walk stopped. */
  async function walkPart(walk: Walk): Promise<{ found: Task[]; stoppedAt: Task | undefined }> {
    const call = walkCall(walk);
    const rows = call === undefined ? [] : await run<TaskRow & { found: boolean; stops: boolean }>(call);
    const end = rows.findIndex(({ stops }) => stops);
    const reached = end === -1 ? rows : rows.slice(0, end + 1);
    const last = rows[end];
    return { found: reached.filter((row) => row.found).map(toTask), stoppedAt: last && toTask(last) };
  }

  /** `stopped`: the walk ended as far as it may reach, before it was known what follows. */
  async function walk(query: ListQuery, reach: Reach): Promise<Page & { stopped: boolean }> {
    const found: Task[] = [];
    for (const parts of partGroups(query)) {
      const part = await walkPart({ query: { ...query, limit: query.limit + 1 - found.length }, parts, reach });
      found.push(...part.found);
      if (found.length > query.limit) break;
      if (part.stoppedAt !== undefined) return { tasks: found, next: positionOf(part.stoppedAt, query.order), stopped: true };
    }
    return { ...toPage(found, query), stopped: false };
  }

  async function read(query: ListQuery): Promise<Page> {
    const first = await walk(query, shortReach(query));
    if (!first.stopped || first.tasks.length === query.limit) return first;
    const few = await findFew(query);
    if (few !== undefined) return few;
    const { tasks, next } = await walk({ ...query, after: first.next, limit: query.limit - first.tasks.length }, longReach);
    return { tasks: [...first.tasks, ...tasks], next };
  }

  return { read: async (query) => fit(await read(query), query) };
}

function toPage(found: Task[], { limit, order }: ListQuery): Page {
  const tasks = found.slice(0, limit);
  const last = tasks.at(-1);
  return { tasks, next: last !== undefined && found.length > limit ? positionOf(last, order) : undefined };
}

/** As many as fit into one message. */
function fit({ tasks, next }: Page, { order }: ListQuery): Page {
  const fitting = tasks.slice(0, countFitting(tasks.map(sizeOfTask)));
  const last = fitting.at(-1);
  return fitting.length === tasks.length || last === undefined ? { tasks, next } : { tasks: fitting, next: positionOf(last, order) };
}
