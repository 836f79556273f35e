import type { Comment } from './comment.entity.ts';
import type { CommentWrite } from './comment.events.ts';
import type { Task } from './task.entity.ts';

export interface WrittenComment {
  comment: Comment;
  task: Task;
}

/** Comments, for changes. All of them are read and written behind the lock on their task, which orders them. */
export interface CommentRepository {
  find(commentId: string): Promise<Comment | undefined>;
  /** The number of the task's next comment. */
  nextNumber(taskId: string): Promise<number>;
  /**
   * Locks the tasks of up to `limit` comments that the user has written and that are not deleted, in the order of their
   * ids, and returns these comments with them. Of a task that is deleted too, as long as it can come back.
   */
  lockWrittenBy(userId: string, limit: number): Promise<WrittenComment[]>;
  /** Writes rows of comments of deleted tasks, whose changes are told to nobody. */
  writeSilently(comments: readonly Comment[]): Promise<void>;
  /**
   * Writes rows and events, and the response of the idempotency key, in one statement; the transaction ends with it,
   * because it locks the heads of streams. Returns the response.
   */
  write<T>(writes: readonly CommentWrite[], response: T): Promise<T>;
}
