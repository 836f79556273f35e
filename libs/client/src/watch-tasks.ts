import { TaskFlowError } from './errors.ts';
import type { Task, TaskEvent, TaskScope, TasksService, WatchTasksResponse } from './gen/taskflow/tasks/v1/tasks_pb.js';
import { pagesOf } from './pages.ts';
import { backoffMs, linkSignals, pause } from './retries.ts';
import { SequenceCheck } from './sequence-check.ts';
import type { ServiceClient } from './service-client.ts';
import { readPosition, writePosition } from './watch-position.ts';

/** Why all tasks are listed: the watch begins, or what it stands on is gone. */
export type ListCause = 'start' | 'gap' | 'RESUME_TOKEN_COMPACTED' | 'LOG_RESTORED';

/** What has gone while tasks were listed is to be taken away: projects before the tasks of this part, tasks behind them. */
export interface ListedTasks {
  kind: 'list';
  tasks: Task[];
  removedTaskIds: string[];
  removedProjectIds: string[];
  cause: ListCause;
  isFirst: boolean;
}

/** `position` is where another watch goes on after this; keep it together with what you made of the update. */
export type TaskUpdate =
  /** A part of all tasks. The first one replaces everything that was known. */
  | (ListedTasks & { isLast: false })
  | (ListedTasks & { isLast: true; position: string })
  /** A change. `removed`: the task is not among the caller's any more. */
  | { kind: 'event'; event: TaskEvent; removed: boolean; position: string }
  /** With scope ALL: a project has become visible. Its tasks come in parts; the last part has none. */
  | { kind: 'joined'; projectId: string; tasks: Task[]; isLast: false }
  | { kind: 'joined'; projectId: string; tasks: Task[]; isLast: true; position: string }
  /** With scope ALL: nothing of this project is visible any more. */
  | { kind: 'left'; projectId: string; position: string }
  /** Nothing happened for some seconds. */
  | { kind: 'heartbeat'; position: string }
  /** Events of these numbers did not come. All tasks are listed next. */
  | { kind: 'gap'; sequences: bigint[] };

export interface WatchTasksOptions {
  /** Goes on after an update of an earlier watch. */
  position?: string;
  /** Without a position: begins with all tasks, or with what changes from now on. Default: 'list'. */
  start?: 'list' | 'now';
  /** Which tasks; with a position, as when it was given. Default: the person's own and assigned ones. */
  scope?: TaskScope;
  /** Ends the watch. */
  signal?: AbortSignal;
  /** Called when the stream broke, before it is opened again. */
  onInterrupt?: (error: TaskFlowError | undefined) => void;
  /** How long an event may come after those that follow it. Default: a minute. */
  lateMs?: number;
  /** How long the stream may be silent until it is opened again. The server sends something every 10 seconds. */
  silenceMs?: number;
}

const passing: ReadonlySet<string> = new Set([
  'UNAVAILABLE',
  'DEADLINE_EXCEEDED',
  'CANCELLED',
  'RESOURCE_EXHAUSTED',
  'ABORTED',
]);

/** The place to go on from is gone. */
const placeLost = ['RESUME_TOKEN_COMPACTED', 'LOG_RESTORED'] as const;

type WatchedTasks = Pick<ServiceClient<typeof TasksService>, 'watchTasks' | 'syncTasks' | 'listTasks'>;

interface Watch extends WatchTasksOptions {
  tasks: WatchedTasks;
  check: SequenceCheck;
  /** Undefined: all tasks have to be listed first. */
  resumeToken: string | undefined;
  cause: ListCause;
  /** Interruptions since something was received. */
  failures: number;
}

const scopeOf = ({ scope }: WatchTasksOptions) => (scope === undefined ? {} : { scope });

async function* list(watch: Watch): AsyncGenerator<TaskUpdate, void> {
  const { tasks: client, cause, signal } = watch;
  let isFirst = true;
  for await (const page of pagesOf(client.syncTasks, scopeOf(watch), signal && { signal })) {
    const { tasks, removedTaskIds, removedProjectIds, nextSyncToken, nextPageToken } = page;
    const part = { kind: 'list', tasks, removedTaskIds, removedProjectIds, cause, isFirst } as const;
    watch.failures = 0;
    if (nextPageToken !== '') yield { ...part, isLast: false };
    else {
      watch.resumeToken = nextSyncToken;
      const position = writePosition({ resumeToken: nextSyncToken, seen: undefined });
      yield { ...part, isLast: true, position };
    }
    isFirst = false;
  }
}

/** A connection that died quietly says nothing, so the stream is left when it is silent for too long. */
async function* readStream(watch: Watch) {
  const { tasks, resumeToken = '', signal, silenceMs = 30_000 } = watch;
  const leaving = new AbortController();
  const either = linkSignals(leaving.signal, signal);
  let timer = setTimeout(() => leaving.abort(), silenceMs);
  try {
    for await (const message of tasks.watchTasks({ resumeToken, ...scopeOf(watch) }, { signal: either })) {
      clearTimeout(timer);
      yield message;
      timer = setTimeout(() => leaving.abort(), silenceMs);
    }
  } finally {
    clearTimeout(timer);
  }
}

function toUpdate({ event, removed, removedProjectId }: WatchTasksResponse, position: string): TaskUpdate {
  if (removedProjectId !== '') return { kind: 'left', projectId: removedProjectId, position };
  return event === undefined ? { kind: 'heartbeat', position } : { kind: 'event', event, removed, position };
}

/** Changes that were made before its tasks are read may follow, with lower versions. */
async function* listJoined({ tasks: client, signal }: Watch, projectId: string): AsyncGenerator<TaskUpdate, void> {
  try {
    for await (const { tasks } of pagesOf(client.listTasks, { projectId, pageSize: 500 }, signal && { signal }))
      yield { kind: 'joined', projectId, tasks, isLast: false };
  } catch (error) {
    // It has ended again, which the stream tells next.
    if (!(error instanceof TaskFlowError) || error.code !== 'NOT_FOUND') throw error;
  }
}

async function* toUpdates(watch: Watch, message: WatchTasksResponse): AsyncGenerator<TaskUpdate, void> {
  const { joinedProjectId: projectId, resumeToken } = message;
  if (projectId !== '') yield* listJoined(watch, projectId);
  // Only now: where listing fails, the stream is opened again before the project.
  watch.resumeToken = resumeToken;
  const position = writePosition({ resumeToken, seen: watch.check.seen });
  yield projectId === ''
    ? toUpdate(message, position)
    : { kind: 'joined', projectId, tasks: [], isLast: true, position };
}

function startAgain(watch: Watch, cause: ListCause): void {
  watch.resumeToken = undefined;
  watch.cause = cause;
  watch.check.reset();
}

async function* follow(watch: Watch): AsyncGenerator<TaskUpdate, void> {
  const { check } = watch;
  for await (const message of readStream(watch)) {
    watch.failures = 0;
    if (message.event !== undefined) check.add(message.event, message.removed);
    yield* toUpdates(watch, message);
    const sequences = check.lost();
    if (sequences.length === 0) continue;
    yield { kind: 'gap', sequences };
    return startAgain(watch, 'gap');
  }
  // Servers end streams with an error; this is somebody in between.
  await interrupt(watch);
}

/** Waits before the stream is opened again. */
async function interrupt(watch: Watch, error?: TaskFlowError): Promise<void> {
  watch.onInterrupt?.(error);
  watch.failures += 1;
  await pause(Math.max(backoffMs(watch.failures), error?.retryAfterMs ?? 0), watch.signal);
}

/** Throws what no repetition mends. */
async function recover(watch: Watch, error: unknown): Promise<void> {
  if (!(error instanceof TaskFlowError)) throw error;
  const cause = placeLost.find((reason) => reason === error.reason);
  if (cause !== undefined) return startAgain(watch, cause);
  // A stream ends with its token; a new stream takes a new one, unless there is none.
  const mayPass = passing.has(error.code) || (error.code === 'UNAUTHENTICATED' && watch.failures === 0);
  if (!mayPass) throw error;
  await interrupt(watch, error);
}

function openWatch(tasks: WatchedTasks, options: WatchTasksOptions): Watch {
  const { position, start = 'list', lateMs = 60_000 } = options;
  const from = position === undefined ? undefined : readPosition(position);
  return {
    ...options,
    tasks,
    check: new SequenceCheck(lateMs, from?.seen),
    resumeToken: from?.resumeToken ?? (start === 'now' ? '' : undefined),
    cause: 'start',
    failures: 0,
  };
}

/**
 * All changes of the caller's tasks, as they happen. The watch goes on whatever happens to the connection, the servers
 * or the token, and misses nothing: it resumes where it was, checks the dense numbers of the caller's own events, and
 * lists all tasks again when that place is gone. Ends when its signal fires; throws TaskFlowError when the caller may
 * not watch (any more).
 */
export async function* watchTasks(
  tasks: WatchedTasks,
  options: WatchTasksOptions = {},
): AsyncGenerator<TaskUpdate, void> {
  const watch = openWatch(tasks, options);
  const isOver = (): boolean => options.signal?.aborted === true;
  while (!isOver()) {
    try {
      if (watch.resumeToken === undefined) yield* list(watch);
      yield* follow(watch);
    } catch (error) {
      if (isOver()) return;
      await recover(watch, error);
    }
  }
}
