import { TasksService } from '#client/tasks';
import {
  argument,
  changeArguments,
  counted,
  paged,
  pageArguments,
  type Argument,
  type Shape,
  type Tool,
} from './tool.ts';

const { method } = TasksService;

const statuses =
  'PENDING and IN_PROGRESS turn into each other, and into COMPLETED and CANCELLED; these two go back to PENDING.';

const id = { name: 'taskId', about: 'The id of the task, a UUID.' };
const etag = { about: 'The etag of the task that you read: the change is refused when it is not current any more.' };
const taskId = argument('taskId', { about: id.about });

/** What a new task may have; an update has it too. */
const content = [
  argument('task.title'),
  argument('task.description'),
  argument('task.priority', { about: 'A new task has TASK_PRIORITY_MEDIUM without it.' }),
  argument('task.dueTime'),
  argument('task.dueDay'),
  argument('task.assigneeId', { about: 'Who works on it: the UUID of a user. Empty for nobody.' }),
  argument('assigneeEmail', { about: 'In place of assigneeId: the e-mail of somebody whom find_user finds.' }),
  argument('task.labels'),
];

const newTask: Shape = { arguments: [...content, argument('task.externalId')] };
const changedTask: Shape = {
  arguments: [
    argument('task.id', id),
    ...content,
    argument('task.status', { about: statuses }),
    argument('task.etag', etag),
  ],
  masked: 'task',
};
const batchOf = (entries: Shape): Argument[] => [
  { name: 'tasks', path: ['requests'], about: '1 to 500 tasks.', entries },
  argument('allowPartial'),
  ...changeArguments,
];

const due =
  'Due at an instant (dueTime, RFC 3339 with an offset) or at the end of a day (dueDay with its time zone), never both.';
const repeat =
  'To repeat a call whose outcome you do not know, pass the requestId that the error names: nothing happens twice.';
const stale = 'ABORTED / ETAG_MISMATCH: somebody changed it meanwhile; read it again, and decide anew.';

const reads: Tool[] = [
  {
    name: 'list_tasks',
    title: 'List tasks',
    method: method.listTasks,
    about:
      'Use it to find tasks that the person owns or is assigned to: by status, priority, due time, labels or words. ' +
      'Returns tasks with their ids and etags, newest first unless orderBy says otherwise. For numbers alone, ' +
      'get_task_stats is cheaper. readMask such as "title,status,dueTime" keeps answers short.',
    arguments: [
      ...pageArguments,
      ...['statuses', 'priorities', 'overdue', 'hasDue', 'dueStartTime', 'dueEndTime', 'labels', 'text'].map((field) =>
        argument(field),
      ),
      ...['assigneeId', 'updateStartTime', 'orderBy', 'showDeleted', 'readMask'].map((field) => argument(field)),
      argument('scope', { about: "TASK_SCOPE_ALL for the tasks of others in the person's projects too." }),
      argument('projectId', { about: 'The id of a project: only its tasks. Tasks show theirs.' }),
    ],
    summary: paged('task', 'tasks'),
  },
  {
    name: 'get_task',
    title: 'Get a task',
    method: method.getTask,
    about:
      'Use it for one task whose id is known. Returns the task as it is now, with its etag. ' +
      'NOT_FOUND: there is none, or the person may not see it; look with list_tasks.',
    arguments: [taskId],
    summary: () => 'The task as it is now.',
  },
  {
    name: 'list_task_events',
    title: 'History of a task',
    method: method.listTaskEvents,
    about: 'Use it to tell who changed a task, when and how. Returns its events, oldest first.',
    arguments: [taskId, ...pageArguments],
    summary: paged('event', 'events'),
  },
  {
    name: 'get_task_stats',
    title: 'Count tasks',
    method: method.getTaskStats,
    about:
      'Use it for "how many": exact numbers of the person\'s tasks by status, of overdue ones, and of open ones by ' +
      'priority. A number that is left out is 0.',
    arguments: [],
    summary: () => 'Exact numbers of one moment. What is left out is 0.',
  },
  {
    name: 'sync_tasks',
    title: 'What changed in tasks',
    method: method.syncTasks,
    about:
      'Use it to go on from an earlier look: returns what changed since syncToken, and the ids of tasks that are gone. ' +
      'Keep nextSyncToken of the last page for the next time. Without syncToken: all tasks. OUT_OF_RANGE: begin again ' +
      'without it.',
    arguments: [argument('syncToken'), ...pageArguments],
    summary: ({ tasks, removedTaskIds, nextPageToken }) =>
      `${counted(tasks, 'changed task')}, ${counted(removedTaskIds, 'removed one')}` +
      `${nextPageToken === undefined ? '.' : '; there are more: pass nextPageToken as pageToken.'}`,
  },
];

const writes: Tool[] = [
  {
    name: 'create_task',
    title: 'Create a task',
    method: method.createTask,
    about: `Use it to add one task for the person. Returns it with its id. ${due} For several use create_tasks. ${repeat}`,
    arguments: [...newTask.arguments, ...changeArguments],
    effects: { destructive: false, idempotent: false, would: 'the task would be created' },
    summary: () => 'The task was created.',
  },
  {
    name: 'create_tasks',
    title: 'Create several tasks',
    method: method.batchCreateTasks,
    about:
      'Use it to add up to 500 tasks in one step: all or none, or with allowPartial those that are right. ' +
      `Returns a result for each, in the same order: the task, or its error. ${repeat}`,
    arguments: batchOf(newTask),
    effects: {
      destructive: false,
      idempotent: false,
      would: 'each result has the task that would be created, or its error',
    },
    summary: ({ results }) => `${counted(results, 'result')}, in the order of the tasks.`,
  },
  {
    name: 'update_task',
    title: 'Change a task',
    method: method.updateTask,
    about:
      'Use it to change a task. Only what you pass is changed; null, an empty text or an empty list clears a field. ' +
      `Pass the etag of the task that you read, so that changes of others are not overwritten. ${stale} ${due} ` +
      `An assignee who is not the owner may change the status only. ${repeat}`,
    arguments: [...changedTask.arguments, ...changeArguments],
    masked: 'task',
    effects: { destructive: true, idempotent: true, would: 'the task would be so' },
    summary: () => 'The task as it is after the change.',
  },
  {
    name: 'update_tasks',
    title: 'Change several tasks',
    method: method.batchUpdateTasks,
    about:
      'Use it to change up to 500 different tasks in one step, as update_task changes one: all or none, or with ' +
      `allowPartial those that can be. Returns a result for each, in the same order: the task, or its error. ${repeat}`,
    arguments: batchOf(changedTask),
    effects: { destructive: true, idempotent: true, would: 'each result has the task as it would be, or its error' },
    summary: ({ results }) => `${counted(results, 'result')}, in the order of the tasks.`,
  },
  {
    name: 'complete_task',
    title: 'Complete a task',
    method: method.updateTask,
    about:
      'Use it when the work of a task is done. Returns the task. It can be opened again with update_task and the ' +
      `status TASK_STATUS_PENDING. ${stale} ${repeat}`,
    arguments: [argument('task.id', id), argument('task.etag', etag), ...changeArguments],
    fixed: { 'task.status': 'TASK_STATUS_COMPLETED', updateMask: 'status' },
    effects: { destructive: false, idempotent: true, would: 'the task would be completed' },
    summary: () => 'The task is completed.',
  },
  {
    name: 'move_task',
    title: 'Move a task to another project',
    method: method.moveTask,
    about:
      'Use it to move a task into a project or, with an empty projectId, out of its project, to its owner. Returns the ' +
      "task with its new number and key. Who is no member there does not keep it: the task becomes the person's, or " +
      `nobody is assigned. ${stale} ${repeat}`,
    arguments: [
      taskId,
      argument('projectId', { about: 'The id of the project that it comes into, a UUID. Empty: into none.' }),
      argument('etag', etag),
      ...changeArguments,
    ],
    effects: { destructive: true, idempotent: true, would: 'the task would be there' },
    summary: () => 'The task where it is now.',
  },
  {
    name: 'delete_task',
    title: 'Delete a task',
    method: method.deleteTask,
    about:
      'Use it only when the person wants the task gone; for work that will not be done, update_task with the status ' +
      `TASK_STATUS_CANCELLED keeps it. Only its owner may. restore_task brings it back for a while. ${stale} ${repeat}`,
    arguments: [taskId, argument('etag', etag), ...changeArguments],
    effects: { destructive: true, idempotent: true, would: 'the task would be deleted' },
    summary: () => 'The task is deleted. restore_task brings it back.',
  },
  {
    name: 'restore_task',
    title: 'Restore a deleted task',
    method: method.undeleteTask,
    about:
      'Use it to bring a deleted task back. Returns it. list_tasks with showDeleted finds deleted ones; purgeTime says ' +
      `until when. Only its owner may. ${repeat}`,
    arguments: [taskId, argument('etag', etag), ...changeArguments],
    effects: { destructive: false, idempotent: true, would: 'the task would be back' },
    summary: () => 'The task is back.',
  },
];

export const taskTools: readonly Tool[] = [...reads, ...writes];
