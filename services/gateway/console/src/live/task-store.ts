import type { Timestamp } from '@bufbuild/protobuf/wkt';
import { watchTasks, type TaskUpdate } from '#client/index';
import { TaskEventType, TaskScope, type Task, type TasksService } from '#client/tasks';
import type { ServiceClient } from '#client/index';
import { Names } from './names.ts';
import { whileVisible } from './while-visible.ts';

/** Whether what is shown is what is so: "live", or as it was before the connection was lost. */
export type LiveState = 'loading' | 'live' | 'offline' | 'failed';

export interface TasksSnapshot {
  tasks: ReadonlyMap<string, Task>;
  /** Whether all of them have been listed once. Until then, that one is missing says nothing. */
  isWhole: boolean;
  state: LiveState;
  /** Why there are no tasks. */
  error?: unknown;
}

/** What the stream tells besides tasks. */
export interface TaskNews {
  /** Without a task: any may have new ones. */
  onComment: (taskId?: string) => void;
  /** A project has become visible, or is not any more, or may have changed: its name, its members, their roles. */
  onProject: () => void;
}

const commentTypes: ReadonlySet<TaskEventType> = new Set([
  TaskEventType.COMMENT_ADDED,
  TaskEventType.COMMENT_EDITED,
  TaskEventType.COMMENT_DELETED,
]);

function removeProjects(tasks: Map<string, Task>, projectIds: readonly string[]): void {
  if (projectIds.length === 0) return;
  for (const [id, task] of tasks) if (projectIds.includes(task.projectId)) tasks.delete(id);
}

/**
 * A quiet stream says every ten seconds that it is alive. Sooner it does so behind something that changed no task, such
 * as a project, of which it tells no more.
 */
const quietMs = 9_000;

type Tasks = ServiceClient<typeof TasksService>;

const nothing: TasksSnapshot = { tasks: new Map(), isWhole: false, state: 'loading' };

const nanos = (time: Timestamp | undefined): bigint =>
  time === undefined ? 0n : time.seconds * 1_000_000_000n + BigInt(time.nanos);

/**
 * All tasks that the person may see, as they are now, those of projects too. They are listed once; then every change
 * comes by a stream, which the client package opens again where it was. Several views share it.
 */
export class TaskStore {
  readonly #client: Tasks;
  readonly #names: Names;
  readonly #listeners = new Set<() => void>();
  #snapshot = nothing;
  /** Parts of a list that replaces another, until it is whole. */
  #draft: Map<string, Task> | undefined;
  #position: string | undefined;
  /** When the stream said something last. */
  #heardMs = 0;
  #news: TaskNews | undefined;

  constructor(client: Tasks) {
    this.#client = client;
    this.#names = new Names(client, () => this.#fillNames());
  }

  subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  get = (): TasksSnapshot => this.#snapshot;

  /** Follows the tasks until the returned function is called. */
  start(news: TaskNews): () => void {
    this.#news = news;
    const onLost = (): void => this.#change({ state: 'offline' });
    addEventListener('offline', onLost);
    const stop = whileVisible(
      (signal) => this.#follow(signal),
      () => this.#snapshot.state === 'live',
    );
    return () => {
      removeEventListener('offline', onLost);
      stop();
      this.#position = undefined;
      this.#snapshot = nothing;
    };
  }

  /** What a call answered, ahead of the stream; or what it will answer, as far as one can tell. */
  put(task: Task): void {
    this.putAll([task]);
  }

  putAll(changed: readonly Task[]): void {
    const tasks = new Map(this.#snapshot.tasks);
    for (const task of changed) this.#merge(tasks, task);
    this.#change({ tasks });
  }

  remove(taskIds: readonly string[]): void {
    const tasks = new Map(this.#snapshot.tasks);
    for (const id of taskIds) tasks.delete(id);
    this.#change({ tasks });
  }

  /** Puts tasks back as they were, where a change that was shown ahead has failed. */
  restore(before: readonly Task[]): void {
    const tasks = new Map(this.#snapshot.tasks);
    for (const task of before) tasks.set(task.id, task);
    this.#change({ tasks });
  }

  #fillNames(): void {
    const filled = [...this.#snapshot.tasks].map(([id, task]) => [id, this.#names.fill(task)] as const);
    this.#change({ tasks: new Map(filled) });
  }

  /** Of two versions the later one counts; names that are known stay. */
  #merge(tasks: Map<string, Task>, task: Task): void {
    const known = tasks.get(task.id);
    if (known !== undefined && nanos(known.updateTime) > nanos(task.updateTime)) return;
    tasks.set(task.id, this.#names.fill(task));
  }

  async #follow(signal: AbortSignal): Promise<void> {
    const onInterrupt = (): void => {
      if (!signal.aborted) this.#change({ state: 'offline' });
    };
    const from = this.#position === undefined ? {} : { position: this.#position };
    const options = { scope: TaskScope.ALL, signal, onInterrupt };
    try {
      for await (const update of watchTasks(this.#client, { ...from, ...options })) {
        // What had arrived before the connection was given up must not pass for life.
        if (signal.aborted) return;
        this.#apply(update);
      }
    } catch (error) {
      if (!signal.aborted) this.#change({ state: 'failed', error });
    }
  }

  #apply(update: TaskUpdate): void {
    if (update.kind === 'gap') return;
    if (update.kind === 'list') this.#applyList(update);
    else if (update.kind === 'event') this.#applyEvent(update);
    else if (update.kind === 'joined' || update.kind === 'left') this.#applyProject(update);
    else this.#applyHeartbeat();
    this.#heardMs = performance.now();
    if ('position' in update) this.#position = update.position;
  }

  #applyList(part: Extract<TaskUpdate, { kind: 'list' }>): void {
    const draft = part.isFirst ? new Map<string, Task>() : (this.#draft ?? new Map<string, Task>());
    this.#draft = draft;
    removeProjects(draft, part.removedProjectIds);
    for (const task of part.tasks) draft.set(task.id, this.#names.fill(task));
    for (const id of part.removedTaskIds) draft.delete(id);
    if (part.isLast) this.#news?.onComment();
    // The first list shows what it has; a later one must not make tasks vanish until it is whole.
    if (part.isLast) this.#change({ tasks: new Map(draft), isWhole: true, state: 'live' });
    else if (!this.#snapshot.isWhole) this.#change({ tasks: new Map(draft), state: 'loading' });
  }

  #applyEvent({ event, removed }: Extract<TaskUpdate, { kind: 'event' }>): void {
    const tasks = new Map(this.#snapshot.tasks);
    const after = event.change?.after;
    if (removed || after === undefined) tasks.delete(event.taskId);
    else this.#merge(tasks, after);
    this.#change({ tasks, state: 'live' });
    if (commentTypes.has(event.type)) this.#news?.onComment(event.taskId);
  }

  #applyHeartbeat(): void {
    if (this.#snapshot.state !== 'live') this.#change({ state: 'live' });
    if (performance.now() - this.#heardMs < quietMs) this.#news?.onProject();
  }

  #applyProject(update: Extract<TaskUpdate, { kind: 'joined' | 'left' }>): void {
    if (update.kind === 'joined') this.putAll(update.tasks);
    else {
      const tasks = new Map(this.#snapshot.tasks);
      removeProjects(tasks, [update.projectId]);
      this.#change({ tasks });
    }
    if ('position' in update) this.#news?.onProject();
  }

  #change(change: Partial<TasksSnapshot>): void {
    this.#snapshot = { ...this.#snapshot, ...change };
    for (const listener of this.#listeners) listener();
  }
}
