import { runStatement, type EntityManager, type RowOf } from '#libs/db';
import { departureTable } from '../domain/departure.columns.ts';
import type { DepartureRepository } from '../domain/departure.repository.ts';

const findOldest = `select ${departureTable.select()} from project_departures order by create_time limit 1`;
const find = 'select from project_departures where project_id = $1 and user_id = $2';
const theirs = 'project_id = $1 and (owner_id = $2 or assignee_id = $2)';

// Skips locked tasks: they are being undeleted, and are handed over then as those that were never deleted.
const passDeleted = `
  update tasks set
    owner_id = case when owner_id = $2 then $3 else owner_id end,
    external_id = case when owner_id = $2 then null else external_id end,
    assignee_id = nullif(assignee_id, $2)
  where id = any (array(
    select id from tasks where ${theirs} and delete_time is not null order by id limit $4 for update skip locked))
  returning 1`;

const end = `
  delete from project_departures
  where project_id = $1 and user_id = $2 and not exists (select from tasks where ${theirs}) returning 1`;

export function createDepartureStore(em: EntityManager): DepartureRepository {
  const count = async (text: string, ...parameters: (string | number)[]): Promise<number> =>
    (await runStatement(em, text, parameters)).length;
  return {
    findOldest: async () => {
      const [row] = await runStatement<RowOf<typeof departureTable.columns>>(em, findOldest, []);
      return row && departureTable.toValues(row);
    },
    isStillGone: async ({ projectId, userId }) => (await count(find, projectId, userId)) > 0,
    passDeleted: ({ projectId, userId }, heirId, limit) => count(passDeleted, projectId, userId, heirId, limit),
    end: async ({ projectId, userId }) => (await count(end, projectId, userId)) > 0,
  };
}
