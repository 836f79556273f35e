import { column, defineColumns, defineMessage, type Stored } from '#libs/db';
import { Comment as CommentMessage } from '#contract/tasks/v1/comment_types';
import { toEtag } from './task.columns.ts';

/** The columns of a comment. Those that are not internal are fields of the message with the same name. */
export const commentTable = defineColumns('comments', {
  id: column.uuid().primary(),
  taskId: column.uuid().fixed(),
  /** Dense within the task, in the order of the events. */
  number: column.integer().fixed(),
  authorId: column.uuid().fixed(),
  /** As it was written; '' when the comment is deleted. */
  text: column.text(),
  mentionIds: column.texts(),
  version: column.bigint().internal(),
  createTime: column.time().fixed(),
  editTime: column.time().nullable(),
  deleteTime: column.time().nullable(),
});

export type CommentValues = Stored<typeof commentTable.columns>;

/** The comment as clients see it, without the name of its author. */
export const toCommentMessage = defineMessage<CommentMessage, object>(CommentMessage.fromPartial({}))(commentTable, {
  etag: ({ version }) => toEtag(version),
  authorName: () => '',
  authorServiceAccount: () => false,
});
