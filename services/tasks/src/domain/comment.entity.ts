import { defineEntityOf } from '#libs/db';
import { commentTable, type CommentValues } from './comment.columns.ts';
import { commentDeleted, notCommentAuthor } from './comment.errors.ts';
import { toEtag } from './task.columns.ts';
import type { LockedTask } from './locked-task.ts';
import type { Person } from './person.ts';
import { mayOnTask } from './task-access.ts';

export const CommentSchema = defineEntityOf(commentTable, {
  name: 'Comment',
  uniques: [{ name: 'comments_of_task', properties: ['taskId', 'number'] }],
  // What a person has written, for its export and its removal.
  indexes: [{ name: 'comments_of_author', properties: ['authorId', 'id'], where: 'delete_time is null' }],
});

export type CommentOrigin = Pick<CommentValues, 'id' | 'taskId' | 'number' | 'authorId' | 'text' | 'mentionIds'>;

export class Comment extends CommentSchema.class {
  static of(values: CommentValues): Comment {
    return Object.assign(new Comment(), values);
  }

  static create(origin: CommentOrigin, now: Date): Comment {
    return Comment.of({ ...origin, version: 1n, createTime: now, editTime: null, deleteTime: null });
  }

  hasEtag(etag: string): boolean {
    return etag === toEtag(this.version);
  }

  requireEditor(person: Person): void {
    this.requireThere();
    if (this.authorId !== person.userId) throw notCommentAuthor(this.id, 'change it');
  }

  requireRemover(person: Person, locked: LockedTask): void {
    this.requireThere();
    if (this.authorId !== person.userId && !mayOnTask(person, locked, 'moderate'))
      throw notCommentAuthor(this.id, 'delete it');
  }

  edit({ text, mentionIds }: Pick<CommentValues, 'text' | 'mentionIds'>, now: Date): void {
    Object.assign(this, { text, mentionIds, editTime: now });
    this.version += 1n;
  }

  /** What is left tells who wrote it, and when. */
  delete(now: Date): void {
    Object.assign(this, { text: '', mentionIds: [], deleteTime: now });
    this.version += 1n;
  }

  private requireThere(): void {
    if (this.deleteTime !== null) throw commentDeleted(this.id);
  }
}

CommentSchema.setClass(Comment);
