import { removeRequestsOf, removeResponsesWith, runStatement, type CommonTable, type EntityManager } from '#libs/db';
import { eraseEvents, type EventLog } from '#libs/events';
import { TaskEventType } from '#contract/tasks/v1/tasks';
import { audienceOfPayload } from '../domain/task-audience.ts';
import { counterChanges, countedBuckets } from '../domain/task-counters.ts';
import { taskTable } from '../domain/task.columns.ts';
import type { Task } from '../domain/task.entity.ts';
import { countersOf, toEvent } from '../domain/task.events.ts';
import { remover, tombstonesOf } from '../domain/user-removal.ts';
import type { UserTasksRepository } from '../domain/user-tasks.repository.ts';
import { toEntity, type StoredTask } from './task-locks.ts';
import { keptDues, movedTasks } from './write-tables.ts';

const lockThose = (which: string): string => `
  select ${taskTable.select()} from tasks where id = any (array(select id from tasks where ${which} limit $2))
  order by id for update`;

const lockTexts = {
  existing: lockThose('owner_id = $1 and delete_time is null'),
  deleted: lockThose('owner_id = $1 and delete_time is not null'),
  assigned: lockThose('assignee_id = $1 and assignee_id <> owner_id and delete_time is null'),
};

const lockByIds = `select ${taskTable.select()} from tasks where id = any ($1::uuid[]) order by id for update`;

/** Locks tasks in the order of their ids, deleted or not, archived or not: a removal stops at nothing. */
export async function lockForRemoval(em: EntityManager, taskIds: readonly string[]): Promise<Task[]> {
  return (await runStatement<StoredTask>(em, { name: '', text: lockByIds }, [taskIds])).map(toEntity);
}

const inProjects = '(owner_id = $1 or assignee_id = $1) and project_id is not null and delete_time is null';
const findProjectOf = `select project_id as id from tasks where ${inProjects} limit 1`;
const lockInProject = lockThose(`${inProjects} and project_id = $3`);
const holdProject = 'select from projects where id = $1 for key share';
// Skips locked tasks: another purge has them.
const lockExpired = `
  select ${taskTable.select()} from tasks where id = any (array(
    select t.id from projects p join tasks t on t.project_id = p.id
    where p.purge_time <= now() and p.delete_time is not null limit $1))
  order by id for update skip locked`;

const tombstones = { type: TaskEventType.DELETED, actor: remover };

// The events by which the removal itself told of tasks stay for those who have to hear of it.
const listGoneText = `
  select distinct subject_id as id from (
    select e.subject_id from events e
    where $1 in (e.stream_id, e.other_stream_id) and e.payload <> '' and not (e.type = $3 and e.actor = $4)
      and not exists (select from tasks t where t.id = e.subject_id)
    limit $2) gone`;

const leaveText = `
  with gone as (
    delete from event_audience where ctid = any (array(select ctid from event_audience where user_id = $1 limit $2))
    returning event_id)
  select e.actor, e.subject_id from gone left join events e on e.id = gone.event_id`;

const leaveDeletedText =
  'update tasks set assignee_id = null where id = any ($2::uuid[]) and assignee_id = $1 and delete_time is not null';

const findProjects = 'select id from projects where id = any ($1::uuid[])';
const removeMoves = 'delete from overdue_moves where person_id = $1';
const removeDepartures = 'delete from project_departures where user_id = $1';
const removeInvitations = 'delete from project_invitations where inviter_id = $1 or accepter_id = $1';
// While the stream has events, their numbers must not be given again.
const removeHead =
  'delete from event_stream_heads where stream_id = $1 and not exists (select from events where stream_id = $1)' +
  ' and not exists (select from events where other_stream_id = $1)';

function removedTasks(taskIds: readonly string[]): CommonTable[] {
  const remove = (name: string, table: string, key: string): CommonTable => ({
    name,
    text: (add) => `delete from ${table} where ${key} = any (${add(taskIds, 'uuid[]')}) returning 1`,
  });
  return [
    remove('gone_dues', 'task_due', 'task_id'),
    remove('gone_comments', 'comments', 'task_id'),
    remove('gone_watchers', 'task_watchers', 'task_id'),
    remove('gone_tasks', 'tasks', 'id'),
  ];
}

interface LeftRow {
  actor: string | null;
  subject_id: string | null;
}

export function createUserTasks(em: EntityManager, events: EventLog): UserTasksRepository {
  const lock = async (text: string, userId: string, limit: number): Promise<Task[]> =>
    (await runStatement<StoredTask>(em, { name: '', text }, [userId, limit])).map(toEntity);
  return {
    lockOwned: async (userId, { deleted, limit }) => {
      const existing = await lock(lockTexts.existing, userId, limit);
      return existing.length > 0 || !deleted ? existing : lock(lockTexts.deleted, userId, limit);
    },
    lockAssigned: (userId, limit) => lock(lockTexts.assigned, userId, limit),
    findProjectOf: async (userId) => (await runStatement<{ id: string }>(em, findProjectOf, [userId]))[0]?.id,
    lockInProject: async (userId, projectId, limit) => {
      const statement = { name: '', text: lockInProject };
      const tasks = (await runStatement<StoredTask>(em, statement, [userId, limit, projectId])).map(toEntity);
      await runStatement(em, holdProject, [projectId]);
      return tasks;
    },
    lockExpired: async (limit) =>
      (await runStatement<StoredTask>(em, { name: '', text: lockExpired }, [limit])).map(toEntity),
    pass: async (writes) => {
      const tasks = writes.map(({ task }) => task);
      const due = tasks.filter((task) => task.isWaitingForDueTime());
      await events.append(writes.map(toEvent), writes.flatMap(countersOf), [movedTasks(tasks), ...keptDues(due)]);
    },
    eraseEvents: (taskIds, limit) =>
      eraseEvents(em, taskIds, { limit, audienceOf: audienceOfPayload, except: tombstones }),
    remove: async (tasks, gone) => {
      const others = gone.flatMap((task) => task.others);
      const projects = others.length === 0 ? [] : await runStatement<{ id: string }>(em, findProjects, [others]);
      const projectIds = new Set(projects.map(({ id }) => id));
      const counters = tasks.flatMap((task) => counterChanges(countedBuckets(task), { buckets: [] }));
      await events.append(
        gone.flatMap((task) => tombstonesOf(task, projectIds)),
        counters,
        removedTasks(tasks.map(({ id }) => id)),
      );
    },
    listGone: async (userId, limit) => {
      const parameters = [userId, limit, tombstones.type, tombstones.actor];
      return (await runStatement<{ id: string }>(em, listGoneText, parameters)).map(({ id }) => id);
    },
    leaveAudience: async (userId, limit) => {
      const rows = await runStatement<LeftRow>(em, leaveText, [userId, limit]);
      const subjects = [...new Set(rows.flatMap((row) => row.subject_id ?? []))];
      if (subjects.length > 0) await runStatement(em, leaveDeletedText, [userId, subjects]);
      return { actors: [...new Set(rows.flatMap(({ actor }) => actor ?? []))], count: rows.length };
    },
    removeAnswers: (userId, toUserIds) => removeResponsesWith(em, [userId], toUserIds),
    removeRest: async (userId) => {
      for (const text of [removeMoves, removeDepartures, removeInvitations, removeHead])
        await runStatement(em, text, [userId]);
      await removeRequestsOf(em, userId);
    },
  };
}
