import { create } from '@bufbuild/protobuf';
import { inBatches, TaskFlowError, type MessageInitShape } from '#client/index';
import { TaskSchema, type Task, type TaskResult } from '#client/tasks';
import { api } from '../api.ts';
import { taskStore } from '../live/use-tasks.ts';

/** The fields that a view changes, by their names in messages. */
export type TaskChange = Partial<
  Pick<Task, 'title' | 'description' | 'status' | 'priority' | 'due' | 'assigneeId' | 'labels'>
>;

const pathOf: Readonly<Record<keyof TaskChange, string[]>> = {
  title: ['title'],
  description: ['description'],
  status: ['status'],
  priority: ['priority'],
  due: ['due_time', 'due_day'],
  assigneeId: ['assignee_id'],
  labels: ['labels'],
};

export function pathsOf(change: TaskChange): string[] {
  const names = Object.keys(change) as (keyof TaskChange)[];
  return names.flatMap((name) => {
    if (name !== 'due') return pathOf[name];
    // The two exclude each other, so naming the one that is set, or any to clear, is enough.
    return [change.due?.case === 'dueDay' ? 'due_day' : 'due_time'];
  });
}

type TaskInit = MessageInitShape<typeof TaskSchema>;

/** The request of a change; with the etag, somebody else's change meanwhile refuses it. */
const requestOf = ({ id, etag }: Pick<Task, 'id' | 'etag'>, change: TaskChange, assigneeEmail?: string) => ({
  task: { id, etag, ...change } as TaskInit,
  updateMask: { paths: assigneeEmail === undefined ? pathsOf(change) : [...pathsOf(change), 'assignee_id'] },
  ...(assigneeEmail !== undefined && { assigneeEmail }),
});

/** Whether both have the same in the fields that a change is about. */
export function agree(a: Task, b: Task, change: TaskChange): boolean {
  return (Object.keys(change) as (keyof TaskChange)[]).every(
    (name) => JSON.stringify(a[name], withBigInts) === JSON.stringify(b[name], withBigInts),
  );
}

const withBigInts = (_key: string, value: unknown): unknown => (typeof value === 'bigint' ? value.toString() : value);

/** Somebody else changed what the person was changing. */
export class TaskConflict extends Error {
  override readonly name = 'TaskConflict';
  readonly current: Task;
  readonly change: TaskChange;

  constructor(current: Task, change: TaskChange) {
    super('somebody else changed this meanwhile');
    this.current = current;
    this.change = change;
  }
}

/** How often others may be faster with other fields. */
const attempts = 4;

async function send(base: Task, change: TaskChange, assigneeEmail?: string): Promise<Task> {
  let etag = base.etag;
  for (let attempt = 1; ; attempt += 1) {
    try {
      const { task } = await api.tasks.updateTask(requestOf({ id: base.id, etag }, change, assigneeEmail));
      if (task === undefined) throw new Error('the answer has no task');
      return task;
    } catch (error) {
      if (!(error instanceof TaskFlowError) || error.reason !== 'ETAG_MISMATCH') throw error;
      const { task: current } = await api.tasks.getTask({ taskId: base.id });
      if (current === undefined) throw error;
      taskStore.put(current);
      if (attempt === attempts || !agree(base, current, change)) throw new TaskConflict(current, change);
      etag = current.etag;
    }
  }
}

/**
 * Changes fields of a task, as of `base`, which the person saw. It is shown at once. A change of other fields by somebody
 * else meanwhile is no obstacle; of the same, it throws TaskConflict.
 */
export async function changeTask(base: Task, change: TaskChange, assigneeEmail?: string): Promise<Task> {
  taskStore.restore([{ ...base, ...change }]);
  try {
    const task = await send(base, change, assigneeEmail);
    taskStore.put(task);
    return task;
  } catch (error) {
    taskStore.restore([error instanceof TaskConflict ? error.current : base]);
    throw error;
  }
}

export interface NewTask extends TaskChange {
  title: string;
  projectId?: string;
  assigneeEmail?: string;
}

export async function createTask({ assigneeEmail, ...fields }: NewTask): Promise<Task> {
  const task = create(TaskSchema, fields);
  const answer = await api.tasks.createTask({ task, ...(assigneeEmail !== undefined && { assigneeEmail }) });
  if (answer.task === undefined) throw new Error('the answer has no task');
  taskStore.put(answer.task);
  return answer.task;
}

/** What became of many tasks at once. */
export interface BulkOutcome {
  changed: Task[];
  failed: TaskFlowError[];
}

function sortResult({ result }: TaskResult, outcome: BulkOutcome): void {
  if (result.case === 'task') outcome.changed.push(result.value);
  if (result.case === 'error' && result.value.code !== 0) outcome.failed.push(TaskFlowError.fromStatus(result.value));
}

/** Changes many tasks; each has a change of its own. Later versions than those seen are changed as well. */
export async function changeTasks(
  changes: readonly { task: Pick<Task, 'id'>; change: TaskChange }[],
): Promise<BulkOutcome> {
  const outcome: BulkOutcome = { changed: [], failed: [] };
  const members = changes.map(({ task, change }) => requestOf({ id: task.id, etag: '' }, change));
  for await (const { result } of inBatches(api.tasks.batchUpdateTasks, members, { allowPartial: true }))
    sortResult(result, outcome);
  taskStore.putAll(outcome.changed);
  return outcome;
}

export async function deleteTasks(tasks: readonly Task[]): Promise<BulkOutcome> {
  const outcome: BulkOutcome = { changed: [], failed: [] };
  const members = tasks.map(({ id }) => ({ taskId: id }));
  const deleted: string[] = [];
  for await (const { member, result } of inBatches(api.tasks.batchDeleteTasks, members, { allowPartial: true })) {
    const before = outcome.failed.length;
    sortResult(result, outcome);
    if (outcome.failed.length === before) deleted.push(member.taskId);
  }
  taskStore.remove(deleted);
  return outcome;
}

/** Deleted tasks are kept for a while. */
export async function undeleteTasks(tasks: readonly Pick<Task, 'id'>[]): Promise<void> {
  const back = await Promise.all(tasks.map(({ id }) => api.tasks.undeleteTask({ taskId: id })));
  taskStore.putAll(back.flatMap(({ task }) => task ?? []));
}
