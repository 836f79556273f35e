import { pagesOf } from '#client/index';
import type { TaskFlow } from '#client/taskflow';
import { TaskScope } from '#client/tasks';
import { exitCodes } from '../exit-codes.ts';
import { Failure, UsageError } from '../faults.ts';
import { oneLine } from '../output/text.ts';

const whole = /^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$/;
const part = /^[0-9a-f-]{4,36}$/;
const shortest = 8;

/** What there is to choose from. Only as much is read as is asked for. */
export interface Candidates {
  /** Of what: "task". */
  noun: string;
  read(): AsyncIterable<{ id: string; title: string }>;
}

/** The whole id of which a user types the beginning or the end. Throws Failure unless it is exactly one. */
export async function resolveId(typed: string, { noun, read }: Candidates): Promise<string> {
  const asked = typed.toLowerCase();
  if (whole.test(asked)) return asked;
  if (!part.test(asked))
    throw new UsageError(`"${typed}" is no id, nor the beginning or end of one, of at least 4 characters`);
  const found: { id: string; title: string }[] = [];
  for await (const one of read()) if (one.id.startsWith(asked) || one.id.endsWith(asked)) found.push(one);
  const [only, ...others] = found;
  if (only === undefined) throw new Failure(`there is no ${noun} whose id begins or ends with "${typed}"`, 5);
  if (others.length === 0) return only.id;
  const listed = found.slice(0, 10).map(({ id, title }) => `  ${id}  ${oneLine(title)}`);
  const more = found.length > listed.length ? [`  and ${found.length - listed.length} more`] : [];
  throw new Failure(
    [`"${typed}" is the beginning or end of the ids of ${found.length} ${noun}s:`, ...listed, ...more].join('\n'),
    exitCodes.usage,
  );
}

const pageSize = 500;

/** All tasks that the caller may see. */
export function allTasks({ tasks }: TaskFlow, { showDeleted = false } = {}): Candidates {
  return {
    noun: 'task',
    read: async function* () {
      const request = { pageSize, showDeleted, scope: TaskScope.ALL, readMask: { paths: ['title'] } };
      for await (const page of pagesOf(tasks.listTasks, request)) yield* page.tasks;
    },
  };
}

export const resolveTask = (typed: string, taskflow: TaskFlow, options?: { showDeleted?: boolean }): Promise<string> =>
  resolveId(typed, allTasks(taskflow, options));

/**
 * Shortens ids to their ends, which are random; all that were made within a minute begin alike. Each is as long as it
 * must be to end no other one of `ids`.
 */
export function shortenAmong(ids: Iterable<string>): (id: string) => string {
  const ends = new Map<string, number>();
  const all = [...new Set(ids)];
  for (const id of all)
    for (let length = shortest; length <= id.length; length += 1) {
      const end = id.slice(-length);
      ends.set(end, (ends.get(end) ?? 0) + 1);
    }
  return (id) => {
    let length = shortest;
    while (length < id.length && ((ends.get(id.slice(-length)) ?? 0) > 1 || id.at(-length) === '-')) length += 1;
    return id.slice(-length);
  };
}
