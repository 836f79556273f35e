import type { SqlReader } from '#libs/db';
import type { Task } from '#contract/tasks/v1/tasks';
import type { ListPosition, ListQuery } from '../deps.ts';
import { countFitting, sizeOfTask } from '../domain/message-size.ts';
import { everythingCall } from './list-everything.ts';
import { fewCalls } from './list-few.ts';
import { headsCall, headsParts, readsHeads } from './list-heads.ts';
import { keysetCall, keysetParts } from './list-keyset.ts';
import { positionOf } from './list-order.ts';
import type { Reach, Reading } from './list-ranges.ts';
import { createStatementNames, type Call } from './list-statements.ts';
import { toTask, type TaskRow } from './task-row.ts';

/** `next` is undefined on the last page. */
interface Page {
  tasks: Task[];
  next: ListPosition | undefined;
}

/** At first. Words are more expensive to test than other filters, and their index soon tells when they are rare. */
const shortReach = ({ filter, limit }: ListQuery): Reach => ({
  inBucket: filter.text === '' ? 100 : 25,
  inAll: 200 + 5 * limit,
});
/** When the list is known to have more than a few tasks. */
const longReach: Reach = { inBucket: 300, inAll: 4800 };

export function createTaskLists(reader: SqlReader): { read(query: ListQuery): Promise<Page> } {
  const prepare = createStatementNames();
  const run = <Row>({ text, values }: Call): Promise<Row[]> => reader.query<Row>(prepare(text), values);

  /** Reads one task more than the page has, to know whether another page follows. */
  async function findFew(query: ListQuery): Promise<Page | undefined> {
    for (const call of fewCalls({ ...query, limit: query.limit + 1 })) {
      const rows = await run<TaskRow & { id: string | null; is_few: boolean }>(call);
      if (rows[0]?.is_few === true)
        return toPage(
          rows.flatMap((row) => (row.id === null ? [] : toTask(row))),
          query,
        );
    }
    return undefined;
  }

  /** What was found in one group of parts, up to the place where its reading stopped. */
  async function readParts(reading: Reading): Promise<{ found: Task[]; stoppedAt: Task | undefined }> {
    const call = callOf(reading);
    const rows = call === undefined ? [] : await run<TaskRow & { found: boolean; stops: boolean }>(call);
    const end = rows.findIndex(({ stops }) => stops);
    const reached = end === -1 ? rows : rows.slice(0, end + 1);
    const last = rows[end];
    return { found: reached.filter((row) => row.found).map(toTask), stoppedAt: last && toTask(last) };
  }

  /** `stopped` = the reading ended at its reach, before it knew what follows. */
  async function readInOrder(query: ListQuery, reach: Reach): Promise<Page & { stopped: boolean }> {
    const found: Task[] = [];
    const groups = isMerged(query) || readsHeads(query) ? headsParts(query) : keysetParts(query).map((part) => [part]);
    for (const parts of groups) {
      const part = await readParts({ query: { ...query, limit: query.limit + 1 - found.length }, parts, reach });
      found.push(...part.found);
      if (found.length > query.limit) break;
      if (part.stoppedAt !== undefined)
        return { tasks: found, next: positionOf(part.stoppedAt, query.order), stopped: true };
    }
    return { ...toPage(found, query), stopped: false };
  }

  /**
   * Reads the list in its order. Filters that its index does not hold are tested on the way; when that does not fill the page
   * soon, an index of such a filter tells whether few tasks match, and if not, the list is read on for a longer way.
   */
  async function read(query: ListQuery): Promise<Page> {
    const first = await readInOrder(query, shortReach(query));
    if (!first.stopped || first.tasks.length === query.limit) return first;
    const few = await findFew(query);
    if (few !== undefined) return few;
    const { tasks, next } = await readInOrder(
      { ...query, after: first.next, limit: query.limit - first.tasks.length },
      longReach,
    );
    return { tasks: [...first.tasks, ...tasks], next };
  }

  return { read: async (query) => fit(await read(query), query) };
}

const isMerged = ({ whose }: ListQuery): boolean => 'everything' in whose;

function callOf(reading: Reading): Call | undefined {
  if (isMerged(reading.query)) return everythingCall(reading);
  return readsHeads(reading.query) ? headsCall(reading) : keysetCall(reading);
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
  return fitting.length === tasks.length || last === undefined
    ? { tasks, next }
    : { tasks: fitting, next: positionOf(last, order) };
}
