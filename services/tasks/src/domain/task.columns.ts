import { column, defineColumns, defineMessage, type Changed, type Created, type Stored } from '#libs/db';
import {
  Task as TaskMessage,
  TaskPriority,
  taskPriorityFromJSON,
  taskPriorityToNumber,
  TaskStatus,
  taskStatusFromJSON,
  taskStatusToNumber,
} from '#contract/tasks/v1/tasks';
import { toDueChoice, type DueInput } from './due.ts';
import { bucketExpression } from './task-buckets.ts';
import { priorities, statuses } from './task-enums.ts';
import * as inputs from './task.inputs.ts';

const always = <const S, const V>(schema: S, initial: V) => ({ create: schema, change: schema, initial });

/**
 * The columns of a task. Those that are not internal are fields of the message with the same name. Violations of a request are
 * reported in this order.
 */
export const taskTable = defineColumns('tasks', {
  id: column.uuid().primary(),
  ownerId: column.uuid().fixed(),
  title: column.text().writable(always(inputs.title, '')),
  description: column.text().writable(always(inputs.description, '')),
  status: column.coded(taskStatusToNumber, taskStatusFromJSON).writable({
    create: inputs.knownOr<TaskStatus>(statuses, TaskStatus.UNSPECIFIED, TaskStatus.PENDING),
    change: inputs.known<TaskStatus>(statuses),
    initial: TaskStatus.PENDING,
  }),
  priority: column.coded(taskPriorityToNumber, taskPriorityFromJSON).writable({
    create: inputs.knownOr<TaskPriority>(priorities, TaskPriority.UNSPECIFIED, TaskPriority.MEDIUM),
    change: inputs.known<TaskPriority>(priorities),
    initial: TaskPriority.MEDIUM,
  }),
  dueTime: column.time().nullable().internal(),
  /** The due time is the end of this day in `dueZone`. Both are null when it is an instant. */
  dueDate: column.date().nullable().internal(),
  dueZone: column.text().nullable().internal(),
  assigneeId: column.uuid().nullable().writable(always(inputs.assigneeId, null)),
  /** Grows with every change of the due time; 0 = never had one. */
  dueVersion: column.bigint().internal(),
  /** The due version that was marked overdue when the task was last closed. The mark of an open task is in its due row. */
  overdueVersion: column.bigint().nullable().fixed().internal(),
  labels: column.texts().writable(always(inputs.labels, [])),
  externalId: column.text().nullable().fixed().writable({ create: inputs.externalId, initial: null }),
  /** Null, as are number and key: the task is in no project. Only a move changes the three of them. */
  projectId: column.uuid().nullable().fixed().writable({ create: inputs.projectId, initial: null }),
  number: column.bigint().nullable().fixed(),
  /** The project's key, which never changes, and the number. */
  key: column.text().nullable().fixed(),
  version: column.bigint().internal(),
  createTime: column.time().fixed(),
  updateTime: column.time(),
  completeTime: column.time().nullable(),
  deleteTime: column.time().nullable(),
  /** When the row of a deleted task is removed. */
  purgeTime: column.time().nullable(),
  /** For the indexes of lists. */
  bucket: column.smallint().named('cell').computed(bucketExpression),
});

type Columns = typeof taskTable.columns;
export type TaskValues = Stored<Columns>;
export type TaskDraft = Created<Columns> & DueInput;
/** The fields to change; those left out stay as they are. */
export type TaskEdit = Changed<Columns> & Partial<DueInput>;

/** The defaults of a new task. */
export const initialDraft: TaskDraft = { ...taskTable.initial, dueTime: null, dueDay: null };

/** Opaque to clients, and different for every version. */
export function toEtag(version: bigint): string {
  return Buffer.from(`v${version}`).toString('base64url');
}

/** The task as clients see it, without names of people. `overdue` depends on the time of reading. */
export const toMessage = defineMessage<TaskMessage, { overdue: boolean }>(TaskMessage.fromPartial({}))(taskTable, {
  due: toDueChoice,
  effectiveDueTime: ({ dueTime }) => dueTime ?? undefined,
  etag: ({ version }) => toEtag(version),
  overdue: (_, { overdue }) => overdue,
  ownerName: () => '',
  assigneeName: () => '',
  ownerServiceAccount: () => false,
  assigneeServiceAccount: () => false,
});
