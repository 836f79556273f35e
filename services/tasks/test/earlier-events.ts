import type { TestTasks } from './start-tasks.ts';

/**
 * From now on events are stored as by releases that did not tell whom they concern. PullEvents returns all of these, so
 * a test can read the whole log by it.
 */
export async function storeEventsAsBefore({ sql }: Pick<TestTasks, 'sql'>): Promise<void> {
  await sql(`
    create function forget_concern() returns trigger language plpgsql as $$
    begin new.concerns_others := null; return new; end $$`);
  await sql('create trigger forget_concern before insert on events for each row execute function forget_concern()');
}
