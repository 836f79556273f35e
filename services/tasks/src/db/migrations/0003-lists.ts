import { Migration } from '#libs/db';

/** As many characters of a word as count; also keeps the words of the longest description within PostgreSQL's limit. */
const wordLength = 40;

const folded = (text: string): string => `casefold(normalize(${text}, nfkc) collate pg_unicode_fast)`;
/** A character that no text holds stands where a word begins within another. */
const marked = (text: string): string =>
  `regexp_replace(${text}, '([^[:alnum:][:space:]])([[:alnum:]])', '\\1' || chr(1) || '\\2', 'g')`;
/** The first bytes of every word in an index: the person, in 22 characters. */
const personKey = `left(encode(uuid_send(person), 'base64'), 22)`;

export class Lists extends Migration {
  override up(): void {
    this.createSearch();
    this.addSql('create index tasks_owned_by_update on tasks (owner_id, update_time, id) where delete_time is null');
    this.addSql('create index tasks_owned_by_due on tasks (owner_id, due_time, id) where delete_time is null');
    this.addSql('create index tasks_owned_by_priority on tasks (owner_id, priority, id) where delete_time is null');
    this.addSql(
      'create index tasks_owned_by_title on tasks (owner_id, title collate "C", id) where delete_time is null',
    );
    this.addSql(
      'create index tasks_assigned_by_update on tasks (assignee_id, update_time, id) where delete_time is null and assignee_id <> owner_id',
    );
    this.addSql(
      'create index tasks_assigned_by_due on tasks (assignee_id, due_time, id) where delete_time is null and assignee_id <> owner_id',
    );
    this.addSql(
      'create index tasks_assigned_by_priority on tasks (assignee_id, priority, id) where delete_time is null and assignee_id <> owner_id',
    );
    this.addSql(
      'create index tasks_assigned_by_title on tasks (assignee_id, title collate "C", id) where delete_time is null and assignee_id <> owner_id',
    );
    this.addSql('create index tasks_deleted on tasks (owner_id, create_time, id) where delete_time is not null');
    this.addSql('create index tasks_owned_words on tasks using gin (task_words(owner_id, title, description))');
    this.addSql(
      'create index tasks_assigned_words on tasks using gin (task_words(assignee_id, title, description)) where assignee_id <> owner_id',
    );
  }

  /*
   * What a word is stands here alone, for tasks and for searches. Letter case and compatibility forms do not count. A word
   * begins after a space, and wherever letters or digits begin; it goes on to the next space, so "foo-bar" is found by
   * "foo-b" and by "bar", and every character of a search stands for itself. Every write pays for this: sets in the select
   * list, as sources they took twice the time.
   */
  private createSearch(): void {
    this.addSql(`
      create function task_words(person uuid, title text, description text) returns tsvector
      language sql immutable strict parallel safe cost 2000 as $$
        select array_to_tsvector(array(
          select ${personKey} || left(array_to_string(parts[part:part + ${wordLength}], ''), ${wordLength})
          from (
            select parts, generate_subscripts(parts, 1) as part
            from (select string_to_array(regexp_split_to_table(${marked(folded(`title || ' ' || description`))}, '[[:space:]]+'), chr(1)) as parts) as tokens
          ) as words))
      $$`);
    this.addSql(`
      create function task_query(person uuid, value text) returns tsquery language sql immutable strict parallel safe as $$
        select string_agg('''' || replace(replace(${personKey} || left(token, ${wordLength}), '\\', '\\\\'), '''', '''''') || ''':*', ' & ')::tsquery
        from regexp_split_to_table(${folded('value')}, '[[:space:]]+') as token
        where token <> ''
      $$`);
  }

  override down(): void {
    const indexes = [
      'owned_by_update',
      'owned_by_due',
      'owned_by_priority',
      'owned_by_title',
      'assigned_by_update',
      'assigned_by_due',
      'assigned_by_priority',
    ];
    for (const index of [...indexes, 'assigned_by_title', 'deleted', 'owned_words', 'assigned_words'])
      this.addSql(`drop index tasks_${index}`);
    this.addSql('drop function task_query(uuid, text)');
    this.addSql('drop function task_words(uuid, text, text)');
  }
}
