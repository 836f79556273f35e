import { z } from 'zod';
import type { CommentsServiceService } from '#contract/tasks/v1/comments';
import { fieldTypes, parseRequest } from '#libs/errors';
import { fieldsOf } from '#libs/fields';
import { requireUser, type Handlers } from '#libs/grpc';
import type { TasksDeps } from '../deps.ts';
import { addComment } from '../use-cases/comments/add-comment.ts';
import { deleteComment } from '../use-cases/comments/delete-comment.ts';
import { editComment } from '../use-cases/comments/edit-comment.ts';
import { getComment } from '../use-cases/comments/get-comment.ts';
import { listComments } from '../use-cases/comments/list-comments.ts';
import { etag, requestId } from './task.schemas.ts';

export function commentsHandlers(deps: TasksDeps): Handlers<typeof CommentsServiceService> {
  return {
    addComment: async (request, call) => addComment(deps, requireUser(call), parseRequest(addSchema, request)),
    getComment: async (request, call) =>
      getComment(deps, requireUser(call), parseRequest(getSchema, request).commentId),
    listComments: async (request, call) => listComments(deps, requireUser(call), parseRequest(listSchema, request)),
    editComment: async (request, call) => editComment(deps, requireUser(call), parseRequest(editSchema, request)),
    deleteComment: async (request, call) => deleteComment(deps, requireUser(call), parseRequest(deleteSchema, request)),
  };
}

const taskId = fieldTypes.uuid();
const commentId = fieldTypes.uuid();
const mutation = { requestId, validateOnly: z.boolean() };

const add = fieldsOf('taskflow.tasks.v1.AddCommentRequest');
const words = { text: add.text('text'), mentionIds: add.uuids('mention_ids') };
const addSchema = z.object({ taskId, ...words, ...mutation });
const editSchema = z.object({ commentId, ...words, etag, ...mutation });
const deleteSchema = z.object({ commentId, etag, ...mutation });
const getSchema = z.object({ commentId });

const list = fieldsOf('taskflow.tasks.v1.ListCommentsRequest');
const listSchema = z.object({
  taskId,
  pageSize: list.pageSize(),
  pageToken: list.pageToken(),
  newestFirst: z.boolean(),
});
