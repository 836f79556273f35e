import { randomUUID } from 'node:crypto';
import type { Command } from 'commander';
import { create, itemsOf } from '#client/index';
import {
  AddCommentResponseSchema,
  DeleteCommentResponseSchema,
  EditCommentResponseSchema,
  ListCommentsResponseSchema,
  type Comment,
} from '#client/tasks';
import { act, examples } from '../action.ts';
import type { Cli } from '../cli.ts';
import { Failure } from '../faults.ts';
import { readCount } from '../input/choices.ts';
import { resolveTask } from '../input/short-ids.ts';
import { lines, oneLine } from '../output/text.ts';
import { showTime } from '../output/times.ts';

const taskArgument = ['<task>', 'id of the task, or the beginning or end of it'] as const;
const numberArgument = ['<number>', 'of the comment, as "taskflow comment ls" shows it', readCount] as const;

function showComment(comment: Comment | undefined, { zone }: Cli): string {
  if (comment === undefined) return '';
  const { number, authorName, authorId, createTime, editTime, deleteTime, text } = comment;
  const mark = deleteTime !== undefined ? ' (deleted)' : editTime !== undefined ? ' (edited)' : '';
  const head = `#${number}  ${showTime(createTime, zone)}  ${oneLine(authorName) || authorId}${mark}`;
  return deleteTime === undefined ? `${head}\n${lines(text).replaceAll(/^/gm, '  ')}` : head;
}

/** Numbers are what people see; they never change. */
async function findComment({ taskflow }: Cli, typed: string, wanted: number): Promise<Comment> {
  const taskId = await resolveTask(typed, taskflow);
  for await (const comment of itemsOf(taskflow.comments.listComments, { taskId, pageSize: 500 }))
    if (comment.number === wanted) return comment;
  throw new Failure(`the task has no comment with the number ${wanted}`, 5);
}

function registerListing(comment: Command): void {
  const command = comment
    .command('ls')
    .summary('list the comments of a task')
    .description('Lists the comments of a task in the order in which they were written.')
    .argument(...taskArgument)
    .option('--limit <count>', 'at most so many, the latest', readCount, 100);
  examples(command, 'taskflow comment ls ID');
  act<{ limit: number }>(command, async (cli, { args: [typed = ''], options: { limit } }) => {
    const taskId = await resolveTask(typed, cli.taskflow);
    const latest: Comment[] = [];
    const request = { taskId, newestFirst: true, pageSize: Math.min(limit, 500) };
    for await (const one of itemsOf(cli.taskflow.comments.listComments, request)) {
      latest.push(one);
      if (latest.length === limit) break;
    }
    const answer = create(ListCommentsResponseSchema, { comments: latest.reverse() });
    cli.out.answer(ListCommentsResponseSchema, answer, () =>
      latest.length === 0 ? 'no comments' : latest.map((one) => showComment(one, cli)).join('\n'),
    );
  });
}

function registerAdding(comment: Command): void {
  const command = comment
    .command('add')
    .summary('comment on a task')
    .description('Writes a comment about a task. @ and the name of somebody who sees the task mentions them.')
    .argument(...taskArgument)
    .argument('<text>', 'what to say');
  examples(command, 'taskflow comment add ID "Done by noon."');
  act(command, async (cli, { args: [typed = '', text = ''] }) => {
    const taskId = await resolveTask(typed, cli.taskflow);
    const answer = await cli.taskflow.comments.addComment({ taskId, text, requestId: randomUUID() });
    cli.out.answer(AddCommentResponseSchema, answer, () => showComment(answer.comment, cli));
  });
}

function registerEditing(comment: Command): void {
  const command = comment
    .command('edit')
    .summary('write your comment anew')
    .description('Puts another text in the place of that of a comment of yours. People see that it was edited.')
    .argument(...taskArgument)
    .argument(...numberArgument)
    .argument('<text>', 'what to say instead');
  examples(command, 'taskflow comment edit ID 1 "Done by three."');
  act(command, async (cli, { args: [typed = '', number, text = ''] }) => {
    const { id: commentId, etag, mentionIds } = await findComment(cli, typed, Number(number));
    const request = { commentId, text, etag, mentionIds, requestId: randomUUID() };
    const answer = await cli.taskflow.comments.editComment(request);
    cli.out.answer(EditCommentResponseSchema, answer, () => showComment(answer.comment, cli));
  });
}

function registerRemoval(comment: Command): void {
  const command = comment
    .command('rm')
    .summary('delete a comment')
    .description('Deletes a comment for good. That there was one stays visible.')
    .argument(...taskArgument)
    .argument(...numberArgument);
  examples(command, 'taskflow comment rm ID 1');
  act(command, async (cli, { args: [typed = '', number] }) => {
    const { id: commentId, etag } = await findComment(cli, typed, Number(number));
    const answer = await cli.taskflow.comments.deleteComment({ commentId, etag, requestId: randomUUID() });
    cli.out.answer(DeleteCommentResponseSchema, answer, () => showComment(answer.comment, cli));
  });
}

export function registerComment(program: Command): void {
  const comment = program
    .command('comment')
    .summary('what people say about tasks')
    .description('What people say about tasks.');
  for (const register of [registerListing, registerAdding, registerEditing, registerRemoval]) register(comment);
}
