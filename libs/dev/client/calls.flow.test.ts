import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { inBatches, itemsOf, pagesOf, TaskFlowError, type Account, type Session } from '#client/index';
import type { TaskFlow } from '#client/taskflow';
import { TaskPriority, TaskStatus, type CreateTaskRequest } from '#client/tasks';
import { startTcpProxy, waitUntil, type TcpProxy } from '#dev/cluster';
import { outcomeOf, refusal, startClientCluster, type ClientCluster } from './test-client.ts';

let service: ClientCluster;
let account: Account;
let ada: TaskFlow<Session>;
beforeAll(async () => {
  service = await startClientCluster();
  account = await service.register();
  ada = service.open({ account });
});
afterAll(() => service?.stop());

describe('errors', () => {
  it('have code, reason, violations and the id of the call', async () => {
    const callId = randomUUID();
    const task = { title: '', assigneeId: 'nobody' };
    const error = await refusal(ada.tasks.createTask({ task }, { callId }));
    expect(error).toMatchObject({ name: 'TaskFlowError', code: 'INVALID_ARGUMENT', reason: 'INVALID_FIELD', callId });
    expect(error.violations.map(({ field }) => field)).toEqual(['task.title', 'task.assignee_id']);
    expect(error.metadata).toEqual({ fields: 'task.title, task.assignee_id' });
    expect(error.message).toContain('taskflow.tasks.v1.TasksService/CreateTask: ');
  });

  it('say that there are no credentials, or wrong ones', async () => {
    expect(await outcomeOf(service.open().tasks.listTasks({}))).toBe('UNAUTHENTICATED/CREDENTIALS_MISSING');
    const stranger = service.open({ account: { ...account, password: 'not the password' } });
    expect(await outcomeOf(stranger.tasks.listTasks({}))).toBe('UNAUTHENTICATED/CREDENTIALS_INVALID');
  });

  it('are those of a token that the caller brings along', async () => {
    const headers = { authorization: 'Bearer eyJhbGciOiJFZERTQSJ9.e30.AAAA' };
    expect(await outcomeOf(ada.tasks.listTasks({}, { headers }))).toBe('UNAUTHENTICATED/TOKEN_INVALID');
  });

  it('of members of a batch are the same', async () => {
    const answer = await ada.tasks.batchGetTasks({ taskIds: [randomUUID()], allowPartial: true });
    const [result] = answer.results;
    const error = result?.result.case === 'error' ? TaskFlowError.fromStatus(result.result.value) : undefined;
    expect(error).toMatchObject({ code: 'NOT_FOUND', reason: 'TASK_NOT_FOUND' });
  });
});

describe('calls', () => {
  it('end with the deadline that the caller gives, also when nothing answers', async () => {
    const proxy = await startTcpProxy(service.addresses.tasks);
    try {
      const { tasks } = service.open({ account }, { addresses: { tasks: `http://${proxy.address}` } });
      await tasks.getTaskStats({});
      proxy.mute();
      expect(await outcomeOf(tasks.getTaskStats({}, { timeoutMs: 300 }))).toBe('DEADLINE_EXCEEDED/undefined');
      const leaving = new AbortController();
      const cancelled = outcomeOf(tasks.getTaskStats({}, { signal: leaving.signal }));
      leaving.abort();
      expect(await cancelled).toBe('CANCELLED/undefined');
    } finally {
      await proxy.close();
    }
  });

  it('tell within their retries that nobody is there', async () => {
    const { auth } = service.open({}, { addresses: { auth: 'http://127.0.0.1:1' } });
    expect(await outcomeOf(auth.getJwks({}))).toBe('UNAVAILABLE/undefined');
  });

  it('whose answer is lost are repeated with the same request id and have one effect', async () => {
    const proxy = await startTcpProxy(service.addresses.tasks);
    try {
      const { tasks } = service.open({ account }, { addresses: { tasks: `http://${proxy.address}` } });
      const title = `lost ${randomUUID()}`;
      await loseAnswer(proxy, 'tasks', 'CreateTask', (callId) => tasks.createTask({ task: { title } }, { callId }));
      const found = await Array.fromAsync(itemsOf(ada.tasks.listTasks, { text: title }));
      expect(found.map((task) => task.title)).toEqual([title]);
    } finally {
      await proxy.close();
    }
  });

  it('that may not be repeated are not, and say so', async () => {
    const proxy = await startTcpProxy(service.addresses.auth);
    try {
      const { auth } = service.open({}, { addresses: { auth: `http://${proxy.address}` } });
      await auth.getJwks({});
      const error = await refusal(loseAnswer(proxy, 'auth', 'Login', (callId) => auth.login(account, { callId })));
      expect(error).toMatchObject({ code: 'UNAVAILABLE', reason: undefined });
      await waitUntil(() => service.answered('auth', 'Login', error.callId), 1);
    } finally {
      await proxy.close();
    }
  });

  it('survive a server that is killed and comes back', async () => {
    const id = randomUUID();
    await ada.tasks.createTask({ task: { title: 'before' }, requestId: id });
    await service.cluster.kill('tasks', 'SIGKILL');
    expect(await outcomeOf(ada.tasks.createTask({ task: { title: 'before' }, requestId: id }))).toBe(
      'UNAVAILABLE/undefined',
    );
    await service.cluster.start('tasks');
    expect(await outcomeOf(ada.tasks.createTask({ task: { title: 'before' }, requestId: id }))).toBe('OK');
  });

  it('survive a server that drains', async () => {
    const answers: string[] = [];
    let isDone = false;
    const client = async (): Promise<void> => {
      while (!isDone) answers.push(await outcomeOf(ada.tasks.getTaskStats({}, { timeoutMs: 60_000 })));
    };
    const clients = [client(), client(), client()];
    await service.cluster.restart('tasks');
    isDone = true;
    await Promise.all(clients);
    expect(answers).toContain('OK');
    expect(answers.filter((outcome) => !/^(OK$|UNAVAILABLE\/)/.test(outcome))).toEqual([]);
  });
});

/** Makes the call, lets the server answer it, and loses the answer with the connection. */
async function loseAnswer(
  proxy: TcpProxy,
  name: 'auth' | 'tasks',
  method: string,
  call: (callId: string) => Promise<unknown>,
): Promise<unknown> {
  const callId = randomUUID();
  proxy.mute();
  const answer = call(callId);
  answer.catch(() => undefined);
  await waitUntil(() => service.answered(name, method, callId) > 0);
  await proxy.restore();
  return answer;
}

describe('lists and batches', () => {
  const titles = Array.from({ length: 1203 }, (_, number) => `task ${number}`);

  it('split what is more than a batch may hold, and read it page by page', async () => {
    const owner = service.open({ account: await service.register() });
    const members = titles.map((title) => ({ task: { title, priority: TaskPriority.HIGH } }));
    const requestId = randomUUID();
    for (let round = 0; round < 2; round += 1) {
      const created = await Array.fromAsync(inBatches(owner.tasks.batchCreateTasks, members, { requestId }));
      expect(created.map(({ result }) => result.result.case === 'task' && result.result.value.title)).toEqual(titles);
    }
    const request = { orderBy: 'create_time', pageSize: 500, statuses: [TaskStatus.PENDING] };
    const pages = await Array.fromAsync(pagesOf(owner.tasks.listTasks, request));
    expect(pages.map(({ tasks }) => tasks.length)).toEqual([500, 500, 203]);
    const tasks = await Array.fromAsync(itemsOf(owner.tasks.listTasks, request));
    expect(tasks.map(({ title }) => title)).toEqual(titles);

    const ids = tasks.map(({ id }) => id);
    const found = await Array.fromAsync(inBatches(owner.tasks.batchGetTasks, ids, {}));
    expect(
      found.map(({ member, result }) => result.result.case === 'task' && result.result.value.id === member),
    ).toEqual(ids.map(() => true));
    await waitUntil(() => service.answered('tasks', 'BatchGetTasks') >= 3);
  });

  it('split by size, in requests and in answers', async () => {
    const owner = service.open({ account: await service.register() });
    const description = 'ü'.repeat(10_000);
    const members = titles.slice(0, 300).map((title) => ({ task: { title, description } }));
    const created = await Array.fromAsync(inBatches(owner.tasks.batchCreateTasks, members, {}));
    const ids = created.map(({ result }) => (result.result.case === 'task' ? result.result.value.id : ''));
    const found = await Array.fromAsync(inBatches(owner.tasks.batchGetTasks, ids, {}));
    expect(found.map(({ result }) => result.result.case === 'task' && result.result.value.title)).toEqual(
      titles.slice(0, 300),
    );
  });

  it('hold what the contract says a batch holds', async () => {
    const requests = (count: number): Partial<CreateTaskRequest>[] => Array.from({ length: count }, () => ({}));
    const call = (count: number) => ada.tasks.batchCreateTasks({ requests: requests(count) as never });
    expect((await refusal(call(501))).violations.map(({ field }) => field)).toEqual(['requests']);
    expect((await refusal(call(500))).violations.map(({ field }) => field)).not.toContain('requests');
  });
});
