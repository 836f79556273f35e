import type { AddCommentResponse, CommentsServiceService } from '#contract/tasks/v1/comments';
import type { Call, Rows } from './access-rows.ts';
import { mustCall } from './test-cluster.ts';

const foreignTask = 'NOT_FOUND/TASK_NOT_FOUND';
const foreignComment = 'NOT_FOUND/COMMENT_NOT_FOUND';
const notAuthor = 'PERMISSION_DENIED/NOT_COMMENT_AUTHOR';
const seenByBoth = { owner: 'OK', assignee: 'OK', other: foreignTask, admin: 'OK' };

const newTaskId = async ({ testCluster, people }: Call): Promise<string> =>
  (await testCluster.createTask(people.owner, people.assignee)).id;

/** A comment of the owner of a task, which the assignee sees. */
const newComment = async (call: Call): Promise<{ commentId: string }> => {
  const request = { taskId: await newTaskId(call), text: 'Use the rain water.' };
  const path = '/taskflow.tasks.v1.CommentsService/AddComment';
  const { wire } = call.testCluster;
  const { comment } = await mustCall<AddCommentResponse>(wire, path, request, call.people.owner.token);
  return { commentId: comment?.id ?? '' };
};

export const commentRows: Rows<typeof CommentsServiceService> = {
  AddComment: {
    request: async (call) => ({ taskId: await newTaskId(call), text: 'They look thirsty.' }),
    answers: seenByBoth,
  },
  GetComment: { request: newComment, answers: { owner: 'OK', assignee: 'OK', other: foreignComment, admin: 'OK' } },
  ListComments: { request: async (call) => ({ taskId: await newTaskId(call) }), answers: seenByBoth },
  EditComment: {
    request: async (call) => ({ ...(await newComment(call)), text: 'Use the tap.' }),
    answers: { owner: 'OK', assignee: notAuthor, other: foreignComment, admin: notAuthor },
  },
  DeleteComment: {
    request: newComment,
    answers: { owner: 'OK', assignee: notAuthor, other: foreignComment, admin: 'OK' },
  },
};
