const exists = 'delete_time is null';
const assignedByOthers = 'delete_time is null and assignee_id <> owner_id';

const keys = <K extends string>(...names: K[]): K[] => names;

/** One whose parts are not columns alone, so in the database's own words. */
const written = (name: string, definition: string) => ({ name, expression: `create index ${name} on tasks ${definition}` });

/*
 * For each key that a list may be ordered by, beside the priority: an index that begins with the person and the cell (status
 * and priority) and ends with the key and the id. Words, labels and assignees stand in an index together with the person, so
 * that a search never meets those of others.
 */
export const listIndexes = [
  { name: 'tasks_owned', properties: keys('ownerId', 'createTime', 'id'), where: exists },
  { name: 'tasks_assigned', properties: keys('assigneeId', 'createTime', 'id'), where: assignedByOthers },
  { name: 'tasks_owned_create', properties: keys('ownerId', 'cell', 'createTime', 'id') },
  { name: 'tasks_owned_update', properties: keys('ownerId', 'cell', 'updateTime', 'id') },
  { name: 'tasks_owned_due', properties: keys('ownerId', 'cell', 'dueTime', 'id') },
  { name: 'tasks_owned_cell', properties: keys('ownerId', 'cell', 'id') },
  { name: 'tasks_assigned_create', properties: keys('assigneeId', 'cell', 'createTime', 'id'), where: assignedByOthers },
  { name: 'tasks_assigned_update', properties: keys('assigneeId', 'cell', 'updateTime', 'id'), where: assignedByOthers },
  { name: 'tasks_assigned_due', properties: keys('assigneeId', 'cell', 'dueTime', 'id'), where: assignedByOthers },
  { name: 'tasks_assigned_cell', properties: keys('assigneeId', 'cell', 'id'), where: assignedByOthers },
  written('tasks_owned_title', '(owner_id, cell, title collate "C", id)'),
  written('tasks_assigned_title', `(assignee_id, cell, title collate "C", id) where ${assignedByOthers}`),
  written('tasks_owned_words', 'using gin (task_words(owner_id, title, description))'),
  written('tasks_assigned_words', 'using gin (task_words(assignee_id, title, description)) where assignee_id <> owner_id'),
  written('tasks_owned_facets', 'using gin (task_facets(owner_id, labels, assignee_id)) with (fastupdate = off)'),
  written('tasks_assigned_facets', `using gin (task_facets(assignee_id, labels, null)) with (fastupdate = off) where ${assignedByOthers}`),
];
