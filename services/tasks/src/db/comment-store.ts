import { finalStatement, runStatement, type CommonTable, type EntityManager, type Statement } from '#libs/db';
import type { EventLog } from '#libs/events';
import { TaskEventType } from '#contract/tasks/v1/tasks';
import { commentTable } from '../domain/comment.columns.ts';
import { Comment } from '../domain/comment.entity.ts';
import { toCommentEvent, type CommentWrite } from '../domain/comment.events.ts';
import type { CommentRepository } from '../domain/comment.repository.ts';
import type { CommentRow } from './comment-reader.ts';
import { commentersWatch } from './watcher-store.ts';
import { lockForRemoval } from './user-tasks.ts';

const findComment: Statement = {
  name: 'find_comment',
  text: `select ${commentTable.select()} from comments where id = $1`,
};

const nextNumber: Statement = {
  name: 'next_comment_number',
  text: 'select coalesce(max(number), 0) + 1 as number from comments where task_id = $1',
};

const listWritten: Statement = {
  name: 'list_written_comments',
  text: `
    select ${commentTable.select()} from comments where author_id = $1 and delete_time is null order by id limit $2`,
};

const readAgain: Statement = {
  name: 'read_written_comments',
  text: `select ${commentTable.select()} from comments where id = any ($1::uuid[]) and delete_time is null`,
};

const newComments = (comments: readonly Comment[]): CommonTable => ({
  name: 'new_comments',
  text: (add) => `${commentTable.insert(comments, add)} returning 1`,
});

const writtenComments = (comments: readonly Comment[]): CommonTable => ({
  name: 'written_comments',
  text: (add) => `
    update comments set ${commentTable.assignments()} from ${commentTable.records(comments, add)}
    where comments.id = new.id returning 1`,
});

const isAddition = ({ type }: CommentWrite): boolean => type === TaskEventType.COMMENT_ADDED;

const toEntity = (row: CommentRow): Comment => Comment.of(commentTable.toValues(row));

export function commentTables(writes: readonly CommentWrite[]): CommonTable[] {
  const added = writes.filter(isAddition);
  const written = writes.filter((write) => !isAddition(write)).map(({ comment }) => comment);
  return [
    ...(added.length > 0 ? [newComments(added.map(({ comment }) => comment)), commentersWatch(added)] : []),
    ...(written.length > 0 ? [writtenComments(written)] : []),
  ];
}

export function createCommentStore(em: EntityManager, events: EventLog): CommentRepository {
  return {
    find: async (commentId) => {
      const [row] = await runStatement<CommentRow>(em, findComment, [commentId]);
      return row && toEntity(row);
    },
    nextNumber: async (taskId) => (await runStatement<{ number: number }>(em, nextNumber, [taskId]))[0]?.number ?? 1,
    lockWrittenBy: async (userId, limit) => {
      const listed = (await runStatement<CommentRow>(em, listWritten, [userId, limit])).map(toEntity);
      if (listed.length === 0) return [];
      const taskIds = [...new Set(listed.map(({ taskId }) => taskId))];
      const tasks = new Map((await lockForRemoval(em, taskIds)).map((task) => [task.id, task]));
      // Behind the locks: somebody may have deleted one, or its task, meanwhile.
      const rows = await runStatement<CommentRow>(em, readAgain, [listed.map(({ id }) => id)]);
      return rows.map(toEntity).flatMap((comment) => {
        const task = tasks.get(comment.taskId);
        return task === undefined ? [] : [{ comment, task }];
      });
    },
    writeSilently: async (comments) => {
      const values: unknown[] = [];
      const { text } = writtenComments(comments);
      const add = (value: unknown, type: string): string => `$${values.push(value)}::${type}`;
      await runStatement(em, text(add), values);
    },
    write: (writes, response) =>
      finalStatement(em, response, (ctes) =>
        events.append(writes.map(toCommentEvent), [], [...commentTables(writes), ...ctes]),
      ),
  };
}
