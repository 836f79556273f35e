import { taskTable } from './task.columns.ts';

const exists = 'delete_time is null';
const assignedByOthers = 'delete_time is null and assignee_id <> owner_id';

const inProject = 'project_id is not null';

const bucket = taskTable.nameOf('bucket');
const byHand = taskTable.nameOf('position');

const keys = <K extends string>(...names: K[]): K[] => names;

/** An index of expressions, which only SQL can describe. */
const written = (name: string, definition: string) => ({
  name,
  expression: `create index ${name} on tasks ${definition}`,
});

/*
 * The common lists are in the order of create_time or due_time: these have an index of person, key and id. Each sort key but the
 * priority has another one with the bucket (status and priority) behind the person, for lists by status or priority and for the
 * other orders. Indexes of words, labels and assignees include the person, so that a search never reads those of others.
 *
 * A project's lists always go by buckets. Its indexes are partial, so that a task without a project pays nothing for them.
 *
 * All of them are written by every create and every change, because a change moves update_time. Decision 0030 has what each costs.
 */
export const listIndexes = [
  { name: 'tasks_owned', properties: keys('ownerId', 'createTime', 'id'), where: exists },
  { name: 'tasks_assigned', properties: keys('assigneeId', 'createTime', 'id'), where: assignedByOthers },
  { name: 'tasks_owned_by_due', properties: keys('ownerId', 'dueTime', 'id'), where: exists },
  { name: 'tasks_assigned_by_due', properties: keys('assigneeId', 'dueTime', 'id'), where: assignedByOthers },
  { name: 'tasks_owned_create', properties: keys('ownerId', 'bucket', 'createTime', 'id') },
  { name: 'tasks_owned_update', properties: keys('ownerId', 'bucket', 'updateTime', 'id') },
  { name: 'tasks_owned_due', properties: keys('ownerId', 'bucket', 'dueTime', 'id') },
  {
    name: 'tasks_assigned_create',
    properties: keys('assigneeId', 'bucket', 'createTime', 'id'),
    where: assignedByOthers,
  },
  {
    name: 'tasks_assigned_update',
    properties: keys('assigneeId', 'bucket', 'updateTime', 'id'),
    where: assignedByOthers,
  },
  { name: 'tasks_assigned_due', properties: keys('assigneeId', 'bucket', 'dueTime', 'id'), where: assignedByOthers },
  // Not for lists, but for the question whether two people share a task.
  { name: 'tasks_sharing', properties: keys('ownerId', 'assigneeId'), where: assignedByOthers },
  written('tasks_owned_title', `(owner_id, ${bucket}, title collate "C", id)`),
  written('tasks_assigned_title', `(assignee_id, ${bucket}, title collate "C", id) where ${assignedByOthers}`),
  written('tasks_owned_words', 'using gin (task_words(owner_id, title, description))'),
  written(
    'tasks_assigned_words',
    'using gin (task_words(assignee_id, title, description)) where assignee_id <> owner_id',
  ),
  written('tasks_owned_facets', 'using gin (task_facets(owner_id, labels, assignee_id)) with (fastupdate = off)'),
  written(
    'tasks_assigned_facets',
    `using gin (task_facets(assignee_id, labels, null)) with (fastupdate = off) where ${assignedByOthers}`,
  ),
  { name: 'tasks_project_create', properties: keys('projectId', 'bucket', 'createTime', 'id'), where: inProject },
  { name: 'tasks_project_update', properties: keys('projectId', 'bucket', 'updateTime', 'id'), where: inProject },
  { name: 'tasks_project_due', properties: keys('projectId', 'bucket', 'dueTime', 'id'), where: inProject },
  // Not for lists, but to count everything that a person may see: what of the person's own is in projects.
  {
    name: 'tasks_owned_in_projects',
    properties: keys('ownerId', 'bucket', 'dueTime'),
    where: `${inProject} and ${exists}`,
  },
  {
    name: 'tasks_assigned_in_projects',
    properties: keys('assigneeId', 'bucket', 'dueTime'),
    where: `${inProject} and ${assignedByOthers}`,
  },
  written('tasks_project_title', `(project_id, ${bucket}, title collate "C", id) where ${inProject}`),
  written('tasks_project_hand', `(project_id, ${bucket}, ${byHand} collate "C", id) where ${inProject}`),
  written('tasks_project_words', `using gin (task_words(project_id, title, description)) where ${inProject}`),
  written(
    'tasks_project_facets',
    `using gin (task_facets(project_id, labels, assignee_id)) with (fastupdate = off) where ${inProject}`,
  ),
];
