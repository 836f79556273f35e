import { Comment } from '#contract/tasks/v1/comment_types';
import { Project, ProjectEvent, ProjectInvitation, ProjectMember, ProjectWatcher } from '#contract/tasks/v1/projects';
import { Task, TaskEvent, TaskWatcher } from '#contract/tasks/v1/tasks';
import { canonicalJson } from '#libs/contract';
import type { SqlReader, Statement } from '#libs/db';
import { readUserEvents } from '#libs/events';
import {
  auditEvents,
  commonTables,
  defineExportPart,
  readPages,
  type ExportedData,
  type ExportPart,
} from '#libs/export';
import type { PagePosition } from '../deps.ts';
import { commentTable } from '../domain/comment.columns.ts';
import { toInvitationMessage } from '../domain/invitation.columns.ts';
import { memberTable } from '../domain/project.columns.ts';
import { isProjectEvent, toProjectEventMessage } from '../domain/project.events.ts';
import { isTaskEvent, toTaskEventOf } from '../domain/task.events.ts';
import { toComment, type CommentRow } from './comment-reader.ts';
import { createInvitationReader } from './invitation-reader.ts';
import { createProjectReader, toMember, type MemberRow } from './project-reader.ts';
import { createWatcherReader } from './watcher-reader.ts';
import { taskColumns, toTask, type TaskRow } from './task-row.ts';

type Place = [createTime: Date | string, id: string];

const beforeFirst: Place = ['-infinity', '00000000-0000-0000-0000-000000000000'];
const placeOf = ({ createTime, id }: Task): Place => [createTime ?? '', id];

/** Some of a person's tasks, oldest first, by an index that has this order. */
function tasksPart(type: string, condition: string): ExportPart {
  /* $1 person, $2 create_time and $3 id of the last task of the page before, $4 limit. */
  const statement: Statement = {
    name: `export_${type}`,
    text: `
      select ${taskColumns} from tasks t
      where ${condition} and (t.create_time, t.id) > ($2::timestamptz, $3::uuid)
      order by t.create_time, t.id limit $4`,
  };
  return defineExportPart({
    type,
    message: canonicalJson('taskflow.tasks.v1.Task', Task),
    tables: ['tasks'],
    pages: (reader, { userId }) =>
      readPages(async (after: Place | undefined, limit) => {
        const rows = await reader.query<TaskRow>(statement, [userId, ...(after ?? beforeFirst), limit]);
        return rows.map(toTask);
      }, placeOf),
  });
}

/** The events that concern a person, oldest first. */
const eventPages = (reader: SqlReader, userId: string) =>
  readPages(
    (after: { transactionId: bigint; eventId: bigint } | undefined, limit) =>
      readUserEvents(reader, userId, after, limit),
    ({ position }) => position,
  );

const projectsOfMember: Statement = {
  name: 'export_projects_of_member',
  text: 'select project_id from project_members where user_id = $1',
};

const taskEvents = defineExportPart({
  type: 'task_event',
  message: canonicalJson('taskflow.tasks.v1.TaskEvent', TaskEvent),
  tables: ['events', 'event_audience'],
  pages: async function* (reader: SqlReader, person) {
    const rows = await reader.query<{ project_id: string }>(projectsOfMember, [person.userId]);
    const follower = {
      person,
      scope: 'own',
      projects: new Map(rows.map((row) => [row.project_id, undefined])),
    } as const;
    for await (const events of eventPages(reader, person.userId))
      yield events.filter(isTaskEvent).map((stored) => toTaskEventOf(follower, stored).event);
  },
});

const projectEvents = defineExportPart({
  type: 'project_event',
  message: canonicalJson('taskflow.tasks.v1.ProjectEvent', ProjectEvent),
  tables: ['events', 'event_audience'],
  pages: async function* (reader: SqlReader, { userId }) {
    for await (const events of eventPages(reader, userId))
      yield events.filter(isProjectEvent).map(toProjectEventMessage);
  },
});

/** The projects that a person is a member of, and deleted ones that they can bring back. */
const projects = defineExportPart({
  type: 'project',
  message: canonicalJson('taskflow.tasks.v1.Project', Project),
  tables: ['projects'],
  pages: (reader, { userId }) => {
    const { list } = createProjectReader(reader);
    const which = { userId, ofEverybody: false, showArchived: true, showDeleted: true };
    return readPages(
      (after: PagePosition | undefined, limit) => list(which, after, limit),
      ({ createTime, id }) => ({ time: createTime ?? new Date(0), id }),
    );
  },
});

/* $1 person, $2 project of the last one before, $3 limit. */
const membershipStatement: Statement = {
  name: 'export_memberships',
  text: `
    select ${memberTable.select()} from project_members where user_id = $1 and project_id > $2::uuid
    order by project_id limit $3`,
};

const memberships = defineExportPart({
  type: 'project_membership',
  message: canonicalJson('taskflow.tasks.v1.ProjectMember', ProjectMember),
  tables: ['project_members'],
  pages: (reader, { userId }) =>
    readPages(
      async (after: string | undefined, limit) =>
        (await reader.query<MemberRow>(membershipStatement, [userId, after ?? beforeFirst[1], limit])).map(toMember),
      ({ projectId }) => projectId,
    ),
});

/* $1 person, $2 comment before, $3 limit. */
const commentsStatement: Statement = {
  name: 'export_comments',
  text: `
    select ${commentTable.select()} from comments
    where author_id = $1 and delete_time is null and id > $2::uuid order by id limit $3`,
};

/** What a person has written about tasks, also about those that they do not see any more. */
const comments = defineExportPart({
  type: 'comment',
  message: canonicalJson('taskflow.tasks.v1.Comment', Comment),
  tables: ['comments'],
  pages: (reader, { userId }) =>
    readPages(
      async (after: string | undefined, limit) =>
        (await reader.query<CommentRow>(commentsStatement, [userId, after ?? beforeFirst[1], limit])).map(toComment),
      ({ id }) => id,
    ),
});

const watchers = defineExportPart({
  type: 'task_watcher',
  message: canonicalJson('taskflow.tasks.v1.TaskWatcher', TaskWatcher),
  tables: ['task_watchers'],
  pages: (reader, { userId }) =>
    readPages(
      (after: string | undefined, limit) => createWatcherReader(reader).listOfUser(userId, after, limit),
      ({ taskId }) => taskId,
    ),
});

/** Tasks in projects that the person has left stay theirs until they are handed over, but are not seen any more. */
const ofMember = `
  (t.project_id is null or exists (
    select from project_members m where m.project_id = t.project_id and m.user_id = $1))`;

const projectWatchers = defineExportPart({
  type: 'project_watcher',
  message: canonicalJson('taskflow.tasks.v1.ProjectWatcher', ProjectWatcher),
  tables: ['project_watchers'],
  pages: (reader, { userId }) =>
    readPages(
      (after: string | undefined, limit) => createWatcherReader(reader).listProjectsOfUser(userId, after, limit),
      ({ projectId }) => projectId,
    ),
});

/** Those that a person has made; whom they invite is exported by auth. */
const invitations = defineExportPart({
  type: 'project_invitation',
  message: canonicalJson('taskflow.tasks.v1.ProjectInvitation', ProjectInvitation),
  tables: ['project_invitations'],
  pages: async function* (reader: SqlReader, { userId }) {
    const pages = readPages(
      (after: string | undefined, limit) => createInvitationReader(reader).listOfInviter(userId, after, limit),
      ({ id }) => id,
    );
    const now = new Date();
    for await (const made of pages)
      yield made.map((invitation) => ({ ...toInvitationMessage(invitation, { now }), accepterId: '' }));
  },
});

/** What people can take away from this service. */
export const exportedData: ExportedData = {
  parts: [
    tasksPart('task', `t.owner_id = $1 and t.delete_time is null and ${ofMember}`),
    tasksPart(
      'assigned_task',
      `t.assignee_id = $1 and t.assignee_id <> t.owner_id and t.delete_time is null and ${ofMember}`,
    ),
    tasksPart('deleted_task', `t.owner_id = $1 and t.delete_time is not null and ${ofMember}`),
    taskEvents,
    comments,
    watchers,
    projectWatchers,
    projects,
    memberships,
    invitations,
    projectEvents,
    auditEvents,
  ],
  leftOut: {
    ...commonTables,
    task_due: 'follows from the tasks',
    project_departures: 'whose tasks in a project are still to be handed over',
    overdue_moves: 'how many tasks are overdue; follows from them',
    event_stream_heads: 'where each list of events ends, and counters that follow from the tasks',
    event_horizon: 'how far events have been pruned',
    outbox: 'mails of invitations that auth has not taken over yet',
    log_incarnations: 'which lives the database has had',
  },
};
