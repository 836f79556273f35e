import type { RowOf, SqlReader, Statement } from '#libs/db';
import type { Comment } from '#contract/tasks/v1/comment_types';
import { commentTable, toCommentMessage } from '../domain/comment.columns.ts';

const findComments: Statement = {
  name: 'find_comments',
  text: `select ${commentTable.select()} from comments where id = any ($1::uuid[])`,
};

/* $1 task, $2 number of the last comment of the page before, $3 limit. */
const listWith = (name: string, compares: '>' | '<', order: 'asc' | 'desc'): Statement => ({
  name,
  text: `
    select ${commentTable.select()} from comments where task_id = $1 and number ${compares} $2
    order by number ${order} limit $3`,
});
const listOldest = listWith('list_comments', '>', 'asc');
const listNewest = listWith('list_newest_comments', '<', 'desc');
/** Above every number. */
const beyond = 2_147_483_647;

/* Those who see the task: of a project all members, owner and assignee among them. */
const listPeople: Statement = {
  name: 'list_people_of_task',
  text: `
    select m.user_id as id from tasks t join project_members m on m.project_id = t.project_id where t.id = $1
    union select owner_id from tasks where id = $1 and project_id is null
    union select assignee_id from tasks where id = $1 and project_id is null and assignee_id is not null`,
};

export type CommentRow = RowOf<typeof commentTable.columns>;

export const toComment = (row: CommentRow): Comment => toCommentMessage(commentTable.toValues(row), {});

/** Reads columns straight into messages, without the names of people. Whether somebody may see them is not asked. */
export interface CommentReader {
  find(commentId: string): Promise<Comment | undefined>;
  /** By id. */
  findMany(commentIds: readonly string[]): Promise<ReadonlyMap<string, Comment>>;
  /** The ids of those who see a task without being administrators; at most 500. */
  listPeople(taskId: string): Promise<string[]>;
  /** By their numbers, after the one of the page before. */
  list(which: { taskId: string; newestFirst: boolean }, after: number | undefined, limit: number): Promise<Comment[]>;
}

export function createCommentReader(reader: SqlReader): CommentReader {
  const findMany = async (commentIds: readonly string[]): Promise<Comment[]> =>
    commentIds.length === 0 ? [] : (await reader.query<CommentRow>(findComments, [commentIds])).map(toComment);
  return {
    find: async (commentId) => (await findMany([commentId]))[0],
    findMany: async (commentIds) => new Map((await findMany(commentIds)).map((comment) => [comment.id, comment])),
    listPeople: async (taskId) => (await reader.query<{ id: string }>(listPeople, [taskId])).map(({ id }) => id),
    list: async ({ taskId, newestFirst }, after, limit) => {
      const statement = newestFirst ? listNewest : listOldest;
      const from = after ?? (newestFirst ? beyond : 0);
      return (await reader.query<CommentRow>(statement, [taskId, from, limit])).map(toComment);
    },
  };
}
