import { runStatement, type EntityManager, type Statement } from '#libs/db';
import { bucketNumbers } from '../domain/task-buckets.ts';
import { priorities, statuses } from '../domain/task-enums.ts';
import { taskTable } from '../domain/task.columns.ts';
import type { Task } from '../domain/task.entity.ts';
import type { Placed } from '../domain/task-order.ts';
import type { TaskRepository } from '../domain/task.repository.ts';
import { toEntity, type StoredTask } from './task-locks.ts';

const [bucket, byHand] = [taskTable.nameOf('bucket'), `${taskTable.nameOf('position')} collate "C"`];

/*
 * $1 project, $2 the task next to which something is to stand, $3 the one that is not to be counted, $4 how many. The
 * index has the order in each bucket, so the nearest of each are read, and of these the nearest.
 */
const side = (operator: '<' | '>', direction: 'asc' | 'desc'): string => `
  select '${operator}' as side, id, position from anchor cross join lateral (
    select head.id, head.position from unnest(array[${bucketNumbers(statuses, priorities, false).join(', ')}]) as b (number)
    cross join lateral (
      select id, ${byHand} as position from tasks
      where project_id = $1::uuid and ${bucket} = b.number and (${byHand}, id) ${operator} (anchor.place, anchor.anchor_id)
        and id <> $3::uuid
      order by ${byHand} ${direction}, id ${direction} limit $4) head
    order by head.position ${direction}, head.id ${direction} limit $4) found`;

const findAround: Statement = {
  name: 'find_around',
  text: `
    with anchor as materialized (
      select id as anchor_id, ${byHand} as place from tasks
      where id = $2::uuid and project_id = $1::uuid and delete_time is null)
    select side, id, position from (
      ${side('<', 'desc')} union all select '=', anchor_id, place from anchor union all ${side('>', 'asc')}) around
    order by position, id`,
};

const lockThem = `
  select ${taskTable.select()} from tasks where id = any ($1::uuid[]) and delete_time is null order by id for update`;

export function createTaskOrder(em: EntityManager): Pick<TaskRepository, 'findAround' | 'lockAll'> {
  return {
    findAround: async (projectId, { anchorId, exceptId, limit }) => {
      const rows = await runStatement<Placed & { side: '<' | '=' | '>' }>(em, findAround, [
        projectId,
        anchorId,
        exceptId,
        limit,
      ]);
      const on = (which: string): Placed[] => rows.filter((row) => row.side === which);
      const [anchor] = on('=');
      return anchor && { before: on('<'), anchor, after: on('>') };
    },
    lockAll: async (taskIds): Promise<Task[]> =>
      (await runStatement<StoredTask>(em, { name: '', text: lockThem }, [taskIds])).map(toEntity),
  };
}
