import { CommentsService } from '#client/tasks';
import { argument, changeArguments, pageArguments, paged, type Tool } from './tool.ts';

const { method } = CommentsService;

const taskId = argument('taskId', { about: 'The id of the task, a UUID.' });

export const commentTools: readonly Tool[] = [
  {
    name: 'list_comments',
    title: 'Read the comments of a task',
    method: method.listComments,
    about:
      'Use it for what people said about a task. Oldest first, or with newestFirst the latest. What is left of a deleted ' +
      'comment has no text. NOT_FOUND: there is no such task, or the person may not see it.',
    arguments: [taskId, argument('newestFirst'), ...pageArguments],
    summary: paged('comment', 'comments'),
  },
  {
    name: 'add_comment',
    title: 'Write a comment',
    method: method.addComment,
    about:
      'Use it to say something about a task, in the name of the person; those who watch the task are told. An @ and the ' +
      'name of somebody of the task mentions them. Returns the comment. To repeat a call whose outcome you do not know, ' +
      'pass the requestId that the error names: nothing happens twice.',
    arguments: [taskId, argument('text'), argument('mentionIds'), ...changeArguments],
    effects: { destructive: false, idempotent: false, would: 'the comment would be written' },
    summary: () => 'The comment was written.',
  },
];
