const exists = 'delete_time is null';
const assignedByOthers = 'delete_time is null and assignee_id <> owner_id';

const keys = <K extends string>(...names: K[]): K[] => names;

/*
 * For each key that a list may be ordered by: an index that begins with the person and ends with the key and the id.
 * The words of a text stand in an index together with the person, so that a search never meets the words of others.
 */
export const listIndexes = [
  { name: 'tasks_owned_by_update', properties: keys('ownerId', 'updateTime', 'id'), where: exists },
  { name: 'tasks_owned_by_due', properties: keys('ownerId', 'dueTime', 'id'), where: exists },
  { name: 'tasks_owned_by_priority', properties: keys('ownerId', 'priority', 'id'), where: exists },
  { name: 'tasks_assigned_by_update', properties: keys('assigneeId', 'updateTime', 'id'), where: assignedByOthers },
  { name: 'tasks_assigned_by_due', properties: keys('assigneeId', 'dueTime', 'id'), where: assignedByOthers },
  { name: 'tasks_assigned_by_priority', properties: keys('assigneeId', 'priority', 'id'), where: assignedByOthers },
  { name: 'tasks_deleted', properties: keys('ownerId', 'createTime', 'id'), where: 'delete_time is not null' },
  // Not of columns alone, so in the database's own words.
  { name: 'tasks_owned_by_title', expression: `create index tasks_owned_by_title on tasks (owner_id, title collate "C", id) where ${exists}` },
  { name: 'tasks_assigned_by_title', expression: `create index tasks_assigned_by_title on tasks (assignee_id, title collate "C", id) where ${assignedByOthers}` },
  { name: 'tasks_owned_words', expression: 'create index tasks_owned_words on tasks using gin (task_words(owner_id, title, description))' },
  {
    name: 'tasks_assigned_words',
    expression: 'create index tasks_assigned_words on tasks using gin (task_words(assignee_id, title, description)) where assignee_id <> owner_id',
  },
];
