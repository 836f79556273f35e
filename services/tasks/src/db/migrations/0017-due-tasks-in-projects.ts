import { Migration } from '#libs/db';

/** What is due in a project is counted for the project as well. A row of a release before has no project and counts for none. */
export class DueTasksInProjects extends Migration {
  override up(): void {
    this.addSql('alter table tasks add column by_hand text null');
    this.addSql('alter table task_due add column project_id uuid null');
    this.addSql(countOverdue(true));
  }

  override down(): void {
    this.addSql(countOverdue(false));
    this.addSql('alter table task_due drop column project_id');
    this.addSql('alter table tasks drop column by_hand');
  }
}

/** As in OverdueCounts: a row for each statement and person, and for each project with the owned tasks. */
function countOverdue(withProjects: boolean): string {
  const marked = (rows: string, by: number): string => `
    select owner_id as person_id, ${by} as owned, 0 as assigned from ${rows} where overdue_time is not null
    union all
    select assignee_id, 0, ${by} from ${rows} where overdue_time is not null and assignee_id <> owner_id${
      withProjects
        ? `
    union all
    select project_id, ${by}, 0 from ${rows} where overdue_time is not null and project_id is not null`
        : ''
    }`;
  const move = (...parts: string[]): string => `
    insert into overdue_moves (person_id, owned, assigned)
    select person_id, sum(owned), sum(assigned) from (${parts.join(' union all ')}) moved
    group by person_id having sum(owned) <> 0 or sum(assigned) <> 0;`;
  return `
    create or replace function count_overdue() returns trigger language plpgsql as $$
    begin
      if tg_op = 'TRUNCATE' then delete from overdue_moves;
      elsif tg_op = 'INSERT' then ${move(marked('new_rows', 1))}
      elsif tg_op = 'DELETE' then ${move(marked('old_rows', -1))}
      else ${move(marked('old_rows', -1), marked('new_rows', 1))}
      end if;
      return null;
    end $$`;
}
