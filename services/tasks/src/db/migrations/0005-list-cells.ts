import { Migration } from '#libs/db';

/** The first part of every word in an index of facets: the person, in 22 characters. */
const personKey = `left(encode(uuid_send(person), 'base64'), 22)`;

const replaced = {
  tasks_owned_by_state: '(owner_id, status, priority, create_time, id) where delete_time is null',
  tasks_owned_by_update: '(owner_id, update_time, id) where delete_time is null',
  tasks_owned_by_due: '(owner_id, due_time, id) where delete_time is null',
  tasks_owned_by_priority: '(owner_id, priority, id) where delete_time is null',
  tasks_owned_by_title: '(owner_id, title collate "C", id) where delete_time is null',
  tasks_assigned_by_state:
    '(assignee_id, status, priority, create_time, id) where delete_time is null and assignee_id <> owner_id',
  tasks_assigned_by_update: '(assignee_id, update_time, id) where delete_time is null and assignee_id <> owner_id',
  tasks_assigned_by_due: '(assignee_id, due_time, id) where delete_time is null and assignee_id <> owner_id',
  tasks_assigned_by_priority: '(assignee_id, priority, id) where delete_time is null and assignee_id <> owner_id',
  tasks_assigned_by_title: '(assignee_id, title collate "C", id) where delete_time is null and assignee_id <> owner_id',
  tasks_deleted: '(owner_id, create_time, id) where delete_time is not null',
};

const assigned = 'where delete_time is null and assignee_id <> owner_id';
const added = {
  tasks_owned_create: '(owner_id, cell, create_time, id)',
  tasks_owned_update: '(owner_id, cell, update_time, id)',
  tasks_owned_due: '(owner_id, cell, due_time, id)',
  tasks_owned_title: '(owner_id, cell, title collate "C", id)',
  tasks_owned_cell: '(owner_id, cell, id)',
  tasks_assigned_create: `(assignee_id, cell, create_time, id) ${assigned}`,
  tasks_assigned_update: `(assignee_id, cell, update_time, id) ${assigned}`,
  tasks_assigned_due: `(assignee_id, cell, due_time, id) ${assigned}`,
  tasks_assigned_title: `(assignee_id, cell, title collate "C", id) ${assigned}`,
  tasks_assigned_cell: `(assignee_id, cell, id) ${assigned}`,
  tasks_owned_facets: 'using gin (task_facets(owner_id, labels, assignee_id)) with (fastupdate = off)',
  tasks_assigned_facets: `using gin (task_facets(assignee_id, labels, null)) with (fastupdate = off) ${assigned}`,
};

export class ListCells extends Migration {
  override up(): void {
    this.addSql(`
      alter table tasks add cell smallint not null generated always as
        (((status - 1) * 4 + priority + case when delete_time is null then 0 else 16 end)::smallint) stored`);
    this.addSql(`
      create function task_facets(person uuid, labels text[], assignee uuid) returns text[] language sql immutable parallel safe as $$
        select array(
          select ${personKey} || 'l' || label from unnest(labels) as label
          union all
          select ${personKey} || 'a' || assignee where assignee is not null)
      $$`);
    this.replace(replaced, added);
  }

  override down(): void {
    this.replace(added, replaced);
    this.addSql('drop function task_facets(uuid, text[], uuid)');
    this.addSql('alter table tasks drop cell');
  }

  private replace(old: Record<string, string>, indexes: Record<string, string>): void {
    for (const name of Object.keys(old)) this.addSql(`drop index ${name}`);
    for (const [name, of] of Object.entries(indexes)) this.addSql(`create index ${name} on tasks ${of}`);
  }
}
