import { runStatement, type EntityManager } from '#libs/db';

export interface OverdueCounts {
  /** Merges the rows of up to `limit` persons into one each. Returns how many persons. */
  addUp(limit: number): Promise<number>;
}

// One statement: a reader sees either all rows of a person or their sum. It skips rows that another statement has merged.
const addUpText = `
  with gathered as (select person_id from overdue_moves group by person_id having count(*) > 1 limit $1),
    gone as (delete from overdue_moves where person_id = any (array(select person_id from gathered)) returning person_id, owned, assigned),
    sums as (
      insert into overdue_moves (person_id, owned, assigned)
      select person_id, sum(owned), sum(assigned) from gone group by person_id having sum(owned) <> 0 or sum(assigned) <> 0)
  select 1 from gathered`;

export function createOverdueCounts(em: EntityManager): OverdueCounts {
  return { addUp: async (limit) => (await runStatement(em, addUpText, [limit])).length };
}
