import { randomUUID } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { AddCommentResponse, type AddCommentRequest } from '#contract/tasks/v1/comments';
import type { Comment } from '#contract/tasks/v1/comment_types';
import { Project } from '#contract/tasks/v1/projects';
import { TaskEventType, type Task, type TaskEvent } from '#contract/tasks/v1/tasks';
import { invalidFields, kindAndReason, readExport, readPages, refused } from '#dev/testing';
import { countDifferent, createTask, pageTokenInvalid, staleEtag, taskNotFound, update } from './factories.ts';
import { events, watch } from './mirror.ts';
import { archived } from './start-projects.ts';
import { useTasks, useUsers, type TestUser } from './start-tasks.ts';

const commentNotFound = { kind: 'not_found', reason: 'COMMENT_NOT_FOUND' };
const commentDeleted = { kind: 'failed_precondition', reason: 'COMMENT_DELETED' };
const notAuthor = { kind: 'permission_denied', reason: 'NOT_COMMENT_AUTHOR' };

const added = TaskEventType.COMMENT_ADDED;
const edited = TaskEventType.COMMENT_EDITED;
const deleted = TaskEventType.COMMENT_DELETED;

describe('C16 comments', () => {
  const service = useTasks({ maintenanceIntervalMs: 20, heartbeatMs: 1000 });
  const [owner, assignee, stranger, admin] = useUsers(service, 'user', 'user', 'user', 'admin');

  /** Users is down here, so nobody can be assigned by a call. */
  const newTask = async (): Promise<Task> => {
    const task = await createTask(service, owner);
    await service.sql('update tasks set assignee_id = $2 where id = $1', [task.id, assignee.userId]);
    return { ...task, assigneeId: assignee.userId };
  };
  const add = async (user: TestUser, task: Task, fields: Partial<AddCommentRequest> = {}): Promise<Comment> => {
    const { comment } = await service.comments.addComment({ taskId: task.id, text: 'Done?', ...fields }, user.as);
    if (comment === undefined) throw new Error('the answer has no comment');
    return comment;
  };
  const list = async (user: TestUser, { id }: Task, newestFirst = false, pageSize = 2): Promise<Comment[]> =>
    (
      await readPages((pageToken) =>
        service.comments.listComments({ taskId: id, newestFirst, pageSize, pageToken }, user.as),
      )
    ).flatMap(({ comments }) => comments);
  const edit = async (user: TestUser, { id }: Comment, text: string, etag = ''): Promise<Comment> =>
    (await service.comments.editComment({ commentId: id, text, etag }, user.as)).comment as Comment;
  const remove = async (user: TestUser, { id }: Comment, etag = ''): Promise<Comment> =>
    (await service.comments.deleteComment({ commentId: id, etag }, user.as)).comment as Comment;
  const history = async (user: TestUser, { id }: Task): Promise<TaskEvent[]> =>
    (
      await readPages((pageToken) => service.tasks.listTaskEvents({ taskId: id, pageSize: 3, pageToken }, user.as))
    ).flatMap((page) => page.events);
  const told = (all: readonly TaskEvent[]) =>
    all.flatMap(({ type, change }) => (change?.comment ? [[type, change.comment.number, change.comment.text]] : []));

  it('are kept as they are written, and listed for owner, assignee and administrators in their order', async () => {
    const task = await newTask();
    const text = '  two lines,\n\tof which 🙂 the second\u202e ends with spaces  \n';
    const first = await add(owner, task, { text });
    expect(first).toMatchObject({ taskId: task.id, number: 1, authorId: owner.userId, text, mentionIds: [] });
    expect([first.editTime, first.deleteTime]).toEqual([undefined, undefined]);
    const second = await add(assignee, task, { mentionIds: [stranger.userId.toUpperCase(), stranger.userId] });
    expect(second.mentionIds).toEqual([stranger.userId]);
    const third = await add(admin, task);
    for (const user of [owner, assignee, admin]) {
      expect(await list(user, task)).toEqual([first, second, third]);
      expect(await list(user, task, true)).toEqual([third, second, first]);
      expect((await service.comments.getComment({ commentId: first.id }, user.as)).comment).toEqual(first);
    }
    const { nextPageToken } = await service.comments.listComments({ taskId: task.id, pageSize: 1 }, owner.as);
    const other = { taskId: task.id, newestFirst: true, pageToken: nextPageToken };
    expect(await refused(service.comments.listComments(other, owner.as))).toEqual(pageTokenInvalid);
  });

  it('are not there for anybody else, as their task is not', async () => {
    const task = await newTask();
    const comment = await add(owner, task);
    expect(await refused(add(stranger, task))).toEqual(taskNotFound);
    expect(await refused(list(stranger, task))).toEqual(taskNotFound);
    const unknown = { ...comment, id: randomUUID() };
    for (const [user, which] of [[stranger, comment] as const, [owner, unknown] as const]) {
      expect(await refused(service.comments.getComment({ commentId: which.id }, user.as))).toEqual(commentNotFound);
      expect(await refused(edit(user, which, 'x'))).toEqual(commentNotFound);
      expect(await refused(remove(user, which))).toEqual(commentNotFound);
    }
    await service.tasks.deleteTask({ taskId: task.id }, owner.as);
    expect(await refused(add(owner, task))).toEqual(taskNotFound);
    expect(await refused(list(owner, task))).toEqual(taskNotFound);
    expect(await refused(edit(owner, comment, 'x'))).toEqual(commentNotFound);
    await service.tasks.undeleteTask({ taskId: task.id }, owner.as);
    expect(await list(owner, task)).toEqual([comment]);
  });

  it('refuse what breaks a rule, with every field at once', async () => {
    const bad = { text: ' \n', mentionIds: ['x'], requestId: 'a b' };
    expect(await invalidFields(service.comments.addComment({ taskId: 'x', ...bad }, owner.as))).toEqual([
      'task_id',
      'text',
      'mention_ids[0]',
      'request_id',
    ]);
    expect(await invalidFields(service.comments.editComment({ commentId: 'x', ...bad }, owner.as))).toEqual([
      'comment_id',
      'text',
      'mention_ids[0]',
      'request_id',
    ]);
    expect(await invalidFields(service.comments.listComments({ taskId: 'x', pageSize: -1 }, owner.as))).toEqual([
      'task_id',
      'page_size',
    ]);
    const task = await newTask();
    await add(owner, task, { text: '🙂'.repeat(10_000) });
    for (const text of ['🙂'.repeat(10_001), 'bell\u0007'])
      expect(await invalidFields(add(owner, task, { text }))).toEqual(['text']);
    const mentionIds = Array.from({ length: 51 }, () => randomUUID());
    expect(await invalidFields(add(owner, task, { mentionIds }))).toEqual(['mention_ids']);
  });

  it('are edited by their author alone, marked, and only by a current etag', async () => {
    const task = await newTask();
    const comment = await add(assignee, task);
    for (const user of [owner, admin]) expect(await refused(edit(user, comment, 'x'))).toEqual(notAuthor);
    const second = await edit(assignee, comment, 'Almost.', comment.etag);
    expect(second).toMatchObject({ text: 'Almost.', createTime: comment.createTime, editTime: expect.any(Date) });
    expect(await refused(edit(assignee, comment, 'x', comment.etag))).toEqual(staleEtag);
    expect(await list(owner, task)).toEqual([second]);
  });

  it('leave a trace when their author, the owner of the task or an administrator deletes them', async () => {
    const task = await newTask();
    const ofOwner = await add(owner, task, { mentionIds: [assignee.userId] });
    expect(await refused(remove(assignee, ofOwner))).toEqual(notAuthor);
    for (const user of [assignee, owner, admin]) {
      const comment = await add(assignee, task, { text: 'secret' });
      expect(await refused(remove(user, comment, ofOwner.etag.concat('x')))).toEqual(staleEtag);
      const trace = await remove(user, comment, comment.etag);
      expect(trace).toEqual({ ...comment, text: '', etag: trace.etag, deleteTime: expect.any(Date) });
      expect(await refused(edit(assignee, comment, 'again'))).toEqual(commentDeleted);
      expect(await refused(remove(user, comment))).toEqual(commentDeleted);
      expect((await list(owner, task)).at(-1)).toEqual(trace);
    }
    expect((await list(owner, task)).map(({ number }) => number)).toEqual([1, 2, 3, 4]);
    expect(await remove(owner, ofOwner)).toMatchObject({ text: '', mentionIds: [] });
  });

  it('change neither etag nor times of their task', async () => {
    const task = await newTask();
    const comment = await add(assignee, task);
    await edit(assignee, comment, 'x');
    await remove(owner, comment);
    expect((await service.tasks.getTask({ taskId: task.id }, owner.as)).task).toEqual(task);
    await service.tasks.updateTask(update(task.id, { title: 'Still current', etag: task.etag }), owner.as);
  });

  it('happen once for each request id, and not at all when they are only validated', async () => {
    const task = await newTask();
    const request = { taskId: task.id, text: 'Once', requestId: randomUUID() };
    await service.comments.addComment({ ...request, validateOnly: true }, owner.as);
    expect(await list(owner, task)).toEqual([]);
    const answers = await Promise.all(Array.from({ length: 5 }, () => service.comments.addComment(request, owner.as)));
    expect(countDifferent(AddCommentResponse, answers)).toBe(1);
    expect(await list(owner, task)).toHaveLength(1);
    const other = service.comments.addComment({ ...request, text: 'Twice' }, owner.as);
    expect(await refused(other)).toEqual({ kind: 'invalid_argument', reason: 'REQUEST_ID_REUSED' });
  });

  it('of 50 who write at once have one order in list, history, watch and sync', async () => {
    const task = await newTask();
    const watching = await watch(service, assignee);
    const { nextSyncToken: syncToken } = await service.tasks.syncTasks({}, assignee.as);
    const texts = Array.from({ length: 50 }, (_, index) => `comment ${index}`);
    await Promise.all(
      texts.map((text, index) =>
        add(index % 2 === 0 ? owner : assignee, task, { text, requestId: index % 3 === 0 ? randomUUID() : '' }),
      ),
    );
    const listed = await list(owner, task, false, 20);
    expect(listed.map(({ number }) => number)).toEqual(texts.map((_, index) => index + 1));
    expect(new Set(listed.map(({ text }) => text))).toEqual(new Set(texts));
    const expected = listed.map(({ number, text }) => [added, number, text]);
    expect(told(await history(owner, task))).toEqual(expected);
    await watching.until(() => told(events(watching)).length === 50);
    expect(told(events(watching))).toEqual(expected);
    const { comments, tasks } = await service.tasks.syncTasks({ syncToken }, assignee.as);
    expect(comments.map(({ number, text }) => [added, number, text])).toEqual(expected);
    expect(tasks).toEqual([expect.objectContaining({ id: task.id, etag: task.etag })]);
    await watching.stop();
  });

  it('are events of their task with dense numbers, which clients who do not know them read as no change', async () => {
    const task = await newTask();
    const watching = await watch(service, owner);
    const comment = await add(assignee, task);
    await service.tasks.updateTask(update(task.id, { title: 'Between' }), owner.as);
    await edit(assignee, comment, 'Edited');
    await watching.until(() => events(watching).some(({ type }) => type === edited));
    // A watch may begin with what happened just before it.
    const news = events(watching);
    const [first, between, last] = news.slice(news.findIndex(({ type }) => type === added));
    expect(first?.change).toMatchObject({ before: task, after: task });
    expect([first, between, last].map((event) => event?.taskVersion)).toEqual([1n, 2n, 2n]);
    const start = first?.sequence ?? 0n;
    expect([between?.sequence, last?.sequence]).toEqual([start + 1n, start + 2n]);
    expect(watching.news.every(({ removed }) => !removed)).toBe(true);
    await watching.stop();
  });

  it('have their text in the event of the latest change only, so that nothing tells what was taken back', async () => {
    const task = await newTask();
    const [kept, gone] = [await add(assignee, task, { text: 'kept' }), await add(assignee, task, { text: 'gone' })];
    expect(told(await history(owner, task))).toEqual([
      [added, 1, 'kept'],
      [added, 2, 'gone'],
    ]);
    await edit(assignee, kept, 'better');
    await remove(assignee, gone);
    expect(told(await history(owner, task))).toEqual([
      [added, 1, ''],
      [added, 2, ''],
      [edited, 1, 'better'],
      [deleted, 2, ''],
    ]);
    const rows = await service.sql(
      `select 1 from events where subject_id = $1 and position('gone'::bytea in payload) > 0
       union all select 1 from comments where task_id = $1 and text = 'gone'`,
      [task.id],
    );
    expect(rows).toEqual([]);
  });

  it('of a long list come in pages that fit into a message, from sync too', async () => {
    const task = await newTask();
    const { nextSyncToken } = await service.tasks.syncTasks({}, owner.as);
    const text = '🙂'.repeat(10_000);
    for (let count = 0; count < 90; count += 1) await add(owner, task, { text });
    const pages = await readPages((pageToken) =>
      service.comments.listComments({ taskId: task.id, pageSize: 500, pageToken }, owner.as),
    );
    expect(pages.flatMap(({ comments }) => comments).map(({ number }) => number)).toEqual(
      Array.from({ length: 90 }, (_, index) => index + 1),
    );
    expect(pages.length).toBeGreaterThan(1);
    const synced = await readPages((pageToken) =>
      service.tasks.syncTasks({ syncToken: nextSyncToken, pageToken, pageSize: 1000 }, owner.as),
    );
    expect(synced.flatMap(({ comments }) => comments).map(({ number }) => number)).toEqual(
      Array.from({ length: 90 }, (_, index) => index + 1),
    );
    expect(await history(owner, task)).toHaveLength(91);
  });

  it('of a task are at most 10,000, deleted ones among them', async () => {
    const task = await newTask();
    await service.sql(
      `insert into comments (id, task_id, number, author_id, text, mention_ids, version, create_time, delete_time)
       select gen_random_uuid(), $1, n, $2, '', '{}', 2, now(), now() from generate_series(1, 9999) n`,
      [task.id, owner.userId],
    );
    expect(await add(owner, task)).toMatchObject({ number: 10_000 });
    expect(await refused(add(owner, task))).toEqual({ kind: 'failed_precondition', reason: 'TOO_MANY_COMMENTS' });
  });

  it('of a person whose account is removed lose their text, wherever they are, and others are told', async () => {
    const [gone, task, hidden] = [await service.newUser(), await newTask(), await newTask()];
    const texts = async () =>
      service.sql<{ text: string }>(`select text from comments where author_id = $1 and text <> ''`, [gone.userId]);
    for (const { id } of [task, hidden])
      await service.sql('update tasks set assignee_id = $2 where id = $1', [id, gone.userId]);
    const request = { taskId: task.id, text: 'my words', requestId: randomUUID() };
    const { comment } = await service.comments.addComment(request, gone.as);
    await add(gone, hidden);
    const kept = await add(owner, task, { text: 'kept' });
    await service.tasks.deleteTask({ taskId: hidden.id }, owner.as);
    const watching = await watch(service, owner);
    const remove = async () =>
      (await service.internal.deleteUserTasks({ userId: gone.userId }, await service.asService('auth'))).more;
    while (await remove());
    expect(await texts()).toEqual([]);
    const [trace, other] = await list(owner, task);
    expect(trace).toMatchObject({ id: comment?.id, authorId: gone.userId, text: '', deleteTime: expect.any(Date) });
    expect(other).toEqual(kept);
    await watching.until(() => told(events(watching)).length > 0);
    expect(told(events(watching))).toEqual([[deleted, 1, '']]);
    await watching.stop();
    await service.tasks.undeleteTask({ taskId: hidden.id }, owner.as);
    expect(await list(owner, hidden)).toMatchObject([{ text: '', deleteTime: expect.any(Date) }]);
    const answers = await service.sql('select 1 from idempotency_records where user_id = $1', [gone.userId]);
    expect(answers).toEqual([]);
  });

  it('in a project go by the role alone: commenters write them, managers delete those of others', async () => {
    const manager = await service.newUser();
    const { project } = await service.projects.createProject(
      { project: Project.fromPartial({ key: 'WEB', name: 'Website' }) },
      manager.as,
    );
    const projectId = project?.id ?? '';
    const task = await createTask(service, manager, { projectId });
    const comment = await add(manager, task);
    const outcomes: unknown[] = [];
    for (const role of [0, 1, 2, 3, 4]) {
      const user = await service.newUser();
      if (role > 0)
        await service.sql('insert into project_members values ($1, $2, $3, 1, now(), now())', [
          projectId,
          user.userId,
          role,
        ]);
      const mine = add(user, task);
      const calls = [list(user, task), mine, mine.then((own) => edit(user, own, 'x')), remove(user, comment)];
      outcomes.push(await Promise.all(calls.map((call) => call.then(() => 'OK').catch(() => kindAndReason(call)))));
    }
    expect(outcomes).toEqual([
      [
        'not_found/TASK_NOT_FOUND',
        'not_found/TASK_NOT_FOUND',
        'not_found/TASK_NOT_FOUND',
        'not_found/COMMENT_NOT_FOUND',
      ],
      ['OK', ...Array<string>(3).fill('permission_denied/ROLE_REQUIRED')],
      ['OK', 'OK', 'OK', 'permission_denied/NOT_COMMENT_AUTHOR'],
      ['OK', 'OK', 'OK', 'permission_denied/NOT_COMMENT_AUTHOR'],
      ['OK', 'OK', 'OK', 'OK'],
    ]);
    await service.projects.archiveProject({ projectId }, manager.as);
    expect(await refused(add(manager, task))).toEqual(archived);
    const streams = await service.sql(
      `select distinct stream_id from events where type like '%COMMENT%' and subject_id = $1`,
      [task.id],
    );
    expect(streams).toEqual([{ stream_id: projectId }]);
  });

  it('are purged with their task, and are in the export of those who wrote them', async () => {
    const user = await service.newUser();
    const task = await createTask(service, user);
    const [first, second] = [await add(user, task, { text: 'mine' }), await add(user, task)];
    await remove(user, second);
    await add(admin, task, { text: 'not mine' });
    const { byType } = await readExport(service.exports.exportMyData({}, user.as));
    expect((byType['comment'] ?? []).map(({ id, text }) => [id, text])).toEqual([[first.id, 'mine']]);
    await service.tasks.deleteTask({ taskId: task.id }, user.as);
    await service.sql(`update tasks set purge_time = now() where id = $1`, [task.id]);
    const count = () => service.sql<{ n: string }>('select count(*) n from comments where task_id = $1', [task.id]);
    let rows = await count();
    while (rows[0]?.n !== '0') rows = await count();
    expect(rows).toEqual([{ n: '0' }]);
  });
});
