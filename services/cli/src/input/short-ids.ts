import { pagesOf } from '#client/index';
import type { TaskFlow } from '#client/taskflow';
import { exitCodes } from '../exit-codes.ts';
import { Failure, UsageError } from '../faults.ts';
import { oneLine } from '../output/text.ts';

const whole = /^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$/;
const beginning = /^[0-9a-f-]{4,36}$/;
const shortest = 8;

/** What there is to choose from. Only as much is read as is asked for. */
export interface Candidates {
  /** Of what: "task". */
  noun: string;
  read(): AsyncIterable<{ id: string; title: string }>;
}

/** The whole id that a user has begun to type. Throws Failure unless it is exactly one. */
export async function resolveId(typed: string, { noun, read }: Candidates): Promise<string> {
  const asked = typed.toLowerCase();
  if (whole.test(asked)) return asked;
  if (!beginning.test(asked))
    throw new UsageError(`"${typed}" is not the beginning of an id: at least 4 of its characters`);
  const found: { id: string; title: string }[] = [];
  for await (const one of read()) if (one.id.startsWith(asked)) found.push(one);
  const [only, ...others] = found;
  if (only === undefined) throw new Failure(`there is no ${noun} whose id begins with "${typed}"`, 5);
  if (others.length === 0) return only.id;
  const listed = found.slice(0, 10).map(({ id, title }) => `  ${id}  ${oneLine(title)}`);
  const more = found.length > listed.length ? [`  and ${found.length - listed.length} more`] : [];
  throw new Failure(
    [`"${typed}" begins the ids of ${found.length} ${noun}s:`, ...listed, ...more].join('\n'),
    exitCodes.usage,
  );
}

const pageSize = 500;

/** All tasks that the caller lists. */
export function allTasks({ tasks }: TaskFlow, { showDeleted = false } = {}): Candidates {
  return {
    noun: 'task',
    read: async function* () {
      const request = { pageSize, showDeleted, readMask: { paths: ['title'] } };
      for await (const page of pagesOf(tasks.listTasks, request)) yield* page.tasks;
    },
  };
}

export const resolveTask = (typed: string, taskflow: TaskFlow, options?: { showDeleted?: boolean }): Promise<string> =>
  resolveId(typed, allTasks(taskflow, options));

/** Shortens ids so far that each begins no other one. */
export function shortenAmong(ids: Iterable<string>): (id: string) => string {
  const sorted = [...new Set(ids)].toSorted();
  const shared = (one: string, other = ''): number => {
    let length = 0;
    while (length < one.length && one[length] === other[length]) length += 1;
    return length;
  };
  const lengths = new Map(
    sorted.map(
      (id, index) => [id, Math.max(shared(id, sorted[index - 1]), shared(id, sorted[index + 1])) + 1] as const,
    ),
  );
  return (id) => {
    const length = Math.max(shortest, lengths.get(id) ?? id.length);
    // Behind a dash nothing is left to be seen.
    return id.slice(0, length).replace(/-$/, (dash) => dash + (id[length] ?? ''));
  };
}

/** So many ids are read to shorten some of them. */
const mostRead = 5_000;

/** Shortens ids of tasks among all that the caller has, or not at all when those are too many to read. */
export async function shortenTasks({ tasks }: TaskFlow): Promise<(id: string) => string> {
  const ids: string[] = [];
  const request = { pageSize, showDeleted: true, readMask: { paths: ['id'] } };
  for await (const page of pagesOf(tasks.listTasks, request)) {
    ids.push(...page.tasks.map(({ id }) => id));
    if (ids.length >= mostRead) return (id) => id;
  }
  return shortenAmong(ids);
}
