import type { Comment as CommentMessage } from '#contract/tasks/v1/comment_types';
import { NameResolution } from '#contract/tasks/v1/tasks';
import { toCommentMessage } from './comment.columns.ts';
import type { Comment } from './comment.entity.ts';
import type { People } from './people.ts';

export function withAuthor(comment: CommentMessage, people: People): CommentMessage {
  const { authorId } = comment;
  return { ...comment, authorName: people.nameOf(authorId), authorServiceAccount: people.isServiceAccount(authorId) };
}

/** Whether the names of these people are known. */
export const resolutionOf = (ids: readonly string[], people: People): NameResolution =>
  people.know(ids) ? NameResolution.COMPLETE : NameResolution.UNAVAILABLE;

/** The answer of an RPC for one comment. `named`: those whose names had to be known for it. */
export function toCommentAnswer(
  comment: Comment,
  people: People,
  named: readonly string[] = [],
): { comment: CommentMessage; nameResolution: NameResolution } {
  return {
    comment: withAuthor(toCommentMessage(comment, {}), people),
    nameResolution: resolutionOf([comment.authorId, ...named], people),
  };
}

/** An upper bound, in bytes. */
export const sizeOfComment = ({ text, mentionIds }: CommentMessage): number =>
  Buffer.byteLength(text) + 40 * mentionIds.length + 512;
