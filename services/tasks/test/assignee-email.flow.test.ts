import { randomUUID } from 'node:crypto';
import { beforeAll, describe, expect, it } from '@jest/globals';
import {
  CreateTaskRequest,
  CreateTaskResponse,
  NameResolution,
  Task,
  UpdateTaskRequest,
  type TaskResult,
} from '#contract/tasks/v1/tasks';
import { User } from '#contract/users/v1/users';
import { waitUntil } from '#dev/cluster';
import { invalidFields, kindAndReason, refusal } from '#dev/testing';
import { createTask, errorOf, listAll, taskOf } from './factories.ts';
import { usePeople, useTasksCluster, type Person } from './start-cluster.ts';

// A machine that is busy with other tests must not look like a Redis that is gone: e-mails are counted exactly here.
const service = useTasksCluster({ replicas: { tasks: 2 }, env: { TASKFLOW_LIMITS_TIMEOUT_MS: '5000' } });
const [ada, open, hidden] = usePeople(service, 'Ada', 'Olga', 'Hank');
beforeAll(() => choose(open, true));

const notFound = 'failed_precondition/ASSIGNEE_NOT_FOUND';
const unknown = (): string => `${randomUUID()}@example.com`;

async function choose(person: Person, discoverable: boolean): Promise<void> {
  await service.users.updateUser({ user: User.fromPartial({ id: person.userId, discoverable }) }, person.as);
}

const request = (assigneeEmail: string, fields: Partial<CreateTaskRequest> = {}): CreateTaskRequest =>
  CreateTaskRequest.fromPartial({ task: { title: 'by e-mail' }, assigneeEmail, ...fields });
const create = (caller: Person, email: string, fields: Partial<CreateTaskRequest> = {}, replica = service.tasks) =>
  replica.createTask(request(email, fields), caller.as);
const assigneeOf = async (caller: Person, email: string) => (await create(caller, email)).task?.assigneeId;
const countTasks = async (person: Person) => (await listAll(service, person, { pageSize: 500 })).length;
const isDown = (reason: string) => expect(reason).toMatch(/^unavailable\/(DEPENDENCY_UNAVAILABLE|CIRCUIT_OPEN)$/);

describe('a task whose assignee is named by e-mail', () => {
  it('is assigned to whom the caller finds, in any spelling, with the name in the answer', async () => {
    for (const email of [open.email, ` ${open.email.toUpperCase()}`]) {
      const { task, nameResolution } = await create(ada, email);
      expect(task).toMatchObject({ assigneeId: open.userId, assigneeName: 'Olga', ownerName: 'Ada' });
      expect(nameResolution).toBe(NameResolution.COMPLETE);
    }
    expect(await assigneeOf(ada, ada.email)).toBe(ada.userId);
    expect(await assigneeOf(await service.admin(), hidden.email)).toBe(hidden.userId);
  });

  it('can be assigned to whom one shares a task with, from either side, as long as they do', async () => {
    const [owner, other] = [await service.newUser('Owner'), await service.newUser('Other')];
    expect(await kindAndReason(create(owner, other.email))).toBe(notFound);
    const shared = await createTask(service, owner, { assigneeId: other.userId });
    expect(await assigneeOf(owner, other.email)).toBe(other.userId);
    const back = await create(other, owner.email);
    expect(back.task?.assigneeId).toBe(owner.userId);
    for (const { id } of await listAll(service, owner, { pageSize: 500 }))
      await service.tasks.deleteTask({ taskId: id }, (id === back.task?.id ? other : owner).as);
    expect(shared.assigneeId).toBe(other.userId);
    expect(await kindAndReason(create(owner, other.email))).toBe(notFound);
  });

  it('is refused with the same bytes for nobody, for somebody hidden and for a disabled account', async () => {
    const gone = await service.newUser('Gone');
    await choose(gone, true);
    const admin = await service.admin();
    await service.auth.disableAccount({ accountId: gone.userId }, admin.as);
    const before = await countTasks(ada);
    const bytesOf = async (email: string) => {
      const error = await refusal(service.tasks.createTask(request(email), { ...ada.as, requestId: 'same' }));
      return [error.code, error.message, error.statusBytes?.toString('hex')];
    };
    const expected = await bytesOf(unknown());
    // The directory hears of it a moment later.
    const check = () => create(ada, gone.email, { validateOnly: true });
    await waitUntil(() =>
      check().then(
        () => false,
        ({ reason }) => reason === 'ASSIGNEE_NOT_FOUND',
      ),
    );
    for (const email of [hidden.email, gone.email, 'no e-mail at all']) expect(await bytesOf(email)).toEqual(expected);
    const { details } = await refusal(create(ada, hidden.email));
    expect(details.violations).toEqual([{ field: 'assignee_email', description: expect.any(String) }]);
    expect(JSON.stringify(details)).not.toContain(hidden.email);
    expect(await countTasks(ada)).toBe(before);
  });

  it('is invalid with an id beside it, and with an e-mail that is too long', async () => {
    const task = Task.fromPartial({ assigneeId: open.userId });
    const both = ['task.assignee_id', 'assignee_email'];
    const fields = await invalidFields(create(ada, open.email, { task }));
    expect(fields.toSorted()).toEqual([...both, 'task.title'].toSorted());
    expect(await invalidFields(create(ada, 'x'.repeat(255)))).toEqual(['assignee_email']);
    expect(await invalidFields(create(ada, 'a\u0000@b.c'))).toEqual(['assignee_email']);
    const update = UpdateTaskRequest.fromPartial({ task: { id: randomUUID(), assigneeId: open.userId } });
    expect(await invalidFields(service.tasks.updateTask({ ...update, assigneeEmail: open.email }, ada.as))).toEqual(
      both,
    );
  });

  it('gives its answer again although the person may not be found any more, also from another replica', async () => {
    const person = await service.newUser('Pam');
    await choose(person, true);
    const requestId = randomUUID();
    const answer = await create(ada, person.email, { requestId });
    expect(answer.task?.assigneeId).toBe(person.userId);
    await choose(person, false);
    // They share no task either.
    await service.tasks.deleteTask({ taskId: answer.task?.id ?? '' }, ada.as);
    const before = await countTasks(ada);
    expect(await kindAndReason(create(ada, person.email))).toBe(notFound);
    for (const replica of [service.tasks, service.second]) {
      const repeated = await create(ada, person.email, { requestId }, replica);
      expect(CreateTaskResponse.encode(repeated).finish()).toEqual(CreateTaskResponse.encode(answer).finish());
    }
    expect(await kindAndReason(create(ada, open.email, { requestId }))).toBe('invalid_argument/REQUEST_ID_REUSED');
    expect(await countTasks(ada)).toBe(before);
  });

  it('is only checked with validate_only', async () => {
    const before = await countTasks(ada);
    const checked = await create(ada, open.email, { validateOnly: true });
    expect(checked.task?.assigneeId).toBe(open.userId);
    expect(await kindAndReason(create(ada, hidden.email, { validateOnly: true }))).toBe(notFound);
    expect(await countTasks(ada)).toBe(before);
  });

  it('is not assigned any more once the setting is off, while tasks are being created', async () => {
    const person = await service.newUser('Ray');
    for (let round = 0; round < 5; round += 1) {
      await choose(person, true);
      expect(await assigneeOf(ada, person.email)).toBe(person.userId);
      await service.tasks.deleteTask(
        { taskId: (await listAll(service, person, { pageSize: 1 }))[0]?.id ?? '' },
        ada.as,
      );
      const during = Array.from({ length: 4 }, () =>
        create(ada, person.email, { validateOnly: true }).then(
          ({ task }) => task?.assigneeId,
          ({ reason }) => reason,
        ),
      );
      await choose(person, false);
      expect(await kindAndReason(create(ada, person.email))).toBe(notFound);
      for (const outcome of await Promise.all(during)) expect([person.userId, 'ASSIGNEE_NOT_FOUND']).toContain(outcome);
    }
  });
});

describe('an update whose assignee is named by e-mail', () => {
  const update = (task: Task, assigneeEmail: string, updateMask?: string[], caller = ada) =>
    service.tasks.updateTask(
      UpdateTaskRequest.fromPartial({ task: { id: task.id, title: 'New' }, assigneeEmail, updateMask }),
      caller.as,
    );

  it('assigns with the mask assignee_id, without a mask, and with "*"', async () => {
    const task = await createTask(service, ada, { title: 'Old' });
    expect((await update(task, open.email, ['assignee_id'])).task).toMatchObject({
      title: 'Old',
      assigneeId: open.userId,
      assigneeName: 'Olga',
    });
    const other = await createTask(service, ada, { title: 'Old' });
    expect((await update(other, open.email)).task).toMatchObject({ title: 'New', assigneeId: open.userId });
    const third = await createTask(service, ada);
    expect((await update(third, open.email, ['*'])).task).toMatchObject({ title: 'New', assigneeId: open.userId });
  });

  it('must name assignee_id in its mask, and finds whom FindUser finds', async () => {
    const task = await createTask(service, ada);
    expect(await invalidFields(update(task, open.email, ['title']))).toEqual(['update_mask']);
    expect(await kindAndReason(update(task, hidden.email))).toBe(notFound);
    expect((await service.tasks.getTask({ taskId: task.id }, ada.as)).task).toEqual(task);
  });

  it('is for the owner: the assignee may not pass the task on', async () => {
    const task = await createTask(service, ada, { assigneeId: open.userId });
    const attempt = update(task, ada.email, ['assignee_id'], open);
    expect(await kindAndReason(attempt)).toBe('permission_denied/NOT_OWNER');
  });
});

describe('a batch', () => {
  const batch = (emails: string[], allowPartial = false) =>
    service.tasks.batchCreateTasks({ requests: emails.map((email) => request(email)), allowPartial }, ada.as);
  const outcomes = (results: TaskResult[]) =>
    results.map((result) => taskOf(result)?.assigneeId ?? /^[^:]*/.exec(errorOf(result)?.message ?? '')?.[0]);

  it('assigns each to its own, or names the index of the first that is not found', async () => {
    const { results } = await batch([open.email, '', ada.email, open.email]);
    expect(outcomes(results)).toEqual([open.userId, '', ada.userId, open.userId]);
    const before = await countTasks(ada);
    const { reason, details } = await refusal(batch([open.email, hidden.email, unknown()]));
    expect([reason, details.violations?.map(({ field }) => field)]).toEqual([
      'ASSIGNEE_NOT_FOUND',
      ['requests[1].assignee_email'],
    ]);
    expect(details.preconditions?.map(({ subject }) => subject)).toEqual(['requests[1].assignee_email']);
    expect(await countTasks(ada)).toBe(before);
    const partial = await batch([open.email, hidden.email, unknown()], true);
    const failed = [1, 2].map((index) => `requests[${index}].assignee_email`);
    expect(outcomes(partial.results)).toEqual([open.userId, ...failed]);
  });

  it('names both fields of each member that has both', async () => {
    const both = request(open.email, { task: Task.fromPartial({ title: 'x', assigneeId: open.userId }) });
    const requests = [request(open.email), both];
    expect(await invalidFields(service.tasks.batchCreateTasks({ requests }, ada.as))).toEqual([
      'requests[1].task.assignee_id',
      'requests[1].assignee_email',
    ]);
  });

  it('updates by e-mail as well', async () => {
    const tasks = [await createTask(service, ada), await createTask(service, ada)];
    const requests = tasks.map(({ id }) => UpdateTaskRequest.fromPartial({ task: { id }, assigneeEmail: open.email }));
    const { results } = await service.tasks.batchUpdateTasks({ requests }, ada.as);
    expect(outcomes(results)).toEqual([open.userId, open.userId]);
  });

  it('may look for 500 e-mails that find nobody in ten minutes, counted for each person and over all replicas', async () => {
    const caller = await service.newUser('Many');
    const requests = Array.from({ length: 500 }, () => request(unknown()));
    const { results } = await service.second.batchCreateTasks({ requests, allowPartial: true }, caller.as);
    expect(results.filter((result) => errorOf(result) !== undefined)).toHaveLength(500);
    for (const email of [unknown(), open.email]) {
      const { kind, reason, details } = await refusal(create(caller, email));
      expect([kind, reason]).toEqual(['resource_exhausted', 'RATE_LIMITED']);
      expect(details.retryAfterMs).toBeGreaterThan(0);
      expect(details.quota?.[0]?.subject).toBe(`user:${caller.userId}`);
    }
    // Without an e-mail nothing is limited, nor is anybody else.
    await createTask(service, caller);
    expect(await assigneeOf(ada, open.email)).toBe(open.userId);
  });
});

it('is UNAVAILABLE while users is down, writes nothing, and still gives recorded answers', async () => {
  const requestId = randomUUID();
  const answer = await create(ada, open.email, { requestId });
  const before = await countTasks(ada);
  await service.cluster.kill('users', 'SIGKILL');
  try {
    for (const email of [open.email, hidden.email, unknown(), ada.email])
      isDown(await kindAndReason(create(ada, email)));
    isDown(
      await kindAndReason(
        service.tasks.batchCreateTasks({ requests: [request(open.email)], allowPartial: true }, ada.as),
      ),
    );
    const repeated = await create(ada, open.email, { requestId });
    expect(CreateTaskResponse.encode(repeated).finish()).toEqual(CreateTaskResponse.encode(answer).finish());
    expect(await countTasks(ada)).toBe(before);
  } finally {
    await service.cluster.start('users');
  }
  expect(await waitUntil(() => assigneeOf(ada, open.email).catch(() => ''))).toBe(open.userId);
});
