import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Client } from '@modelcontextprotocol/client';
import { tools } from '#libs/mcp';
import { failTool, openHttpAgent, postMessage, rpc, useTool } from './agents.ts';
import { startTestCluster, type Person, type TestCluster } from './test-cluster.ts';

let testCluster: TestCluster;
let ada: Person;
let token: string;
let agent: Client;

beforeAll(async () => {
  testCluster = await startTestCluster({ services: ['auth', 'users', 'tasks', 'scheduler', 'gateway'] });
  ada = await testCluster.register();
  ({ token } = await testCluster.createPersonalToken(ada));
  agent = await openHttpAgent(testCluster.cluster, token);
}, 120_000);
afterAll(async () => {
  await agent?.close();
  await testCluster?.stop();
});

/** What is told besides the JSON. */
async function wordsOf(name: string, given: object): Promise<string> {
  const { content = [], isError } = await agent.callTool({ name, arguments: { ...given } });
  expect([name, isError]).toEqual([name, undefined]);
  return (content as { text: string }[])[0]?.text ?? '';
}

const faultsOf = async (name: string, given: object): Promise<string[]> =>
  ((await failTool(agent, name, given)).violations ?? []).map(({ field, description }) => `${field}: ${description}`);

interface Told {
  task: { id: string };
}

describe('J9: a call that only checks', () => {
  it('says what would be, and that nothing has changed', async () => {
    const { task } = (await useTool(agent, 'create_task', { title: 'There' })) as unknown as Told;
    const project = await testCluster.createProject(ada);
    const gone = (await useTool(agent, 'create_task', { title: 'Gone' })) as unknown as Told;
    await useTool(agent, 'delete_task', { taskId: gone.task.id });
    const given: Record<string, object> = {
      create_task: { title: 'Not yet' },
      create_tasks: { tasks: [{ title: 'Not yet' }, { title: '' }], allowPartial: true },
      update_task: { taskId: task.id, title: 'Not yet' },
      update_tasks: { tasks: [{ taskId: task.id, title: 'Not yet' }] },
      complete_task: { taskId: task.id },
      move_task: { taskId: task.id, projectId: project.id },
      delete_task: { taskId: task.id },
      restore_task: { taskId: gone.task.id },
      add_comment: { taskId: task.id, text: 'Not yet' },
      mark_notifications_read: { all: {} },
    };
    const before = await useTool(agent, 'list_tasks', { showDeleted: true });
    for (const { name, effects } of tools) {
      if (effects === undefined) continue;
      expect(await wordsOf(name, { ...given[name], validateOnly: true })).toMatch(
        /^Only checked, nothing has changed: .* would be/,
      );
    }
    expect(await useTool(agent, 'list_tasks', { showDeleted: true })).toEqual(before);
    expect(await wordsOf('complete_task', { taskId: task.id })).toBe('The task is completed.');
  });
});

describe('J9: names', () => {
  it('of arguments that a tool does not have are told as they were sent, with what it takes', async () => {
    expect(await faultsOf('list_tasks', { page_size: 1 })).toEqual([
      'page_size: is no argument of this tool; did you mean pageSize?',
    ]);
    expect(await faultsOf('get_task', { id: ada.id })).toEqual([
      'id: is no argument of this tool; did you mean taskId?',
    ]);
    expect(await faultsOf('get_me', { verbose: true })).toEqual([
      'verbose: is no argument of this tool; it takes none',
    ]);
    expect(
      await faultsOf('create_tasks', { tasks: [{ title: 'x', due_time: 'y', dueDay: { time_zon: 'UTC', date: 5 } }] }),
    ).toEqual([
      'tasks[0].due_time: is no argument of this tool; did you mean dueTime?',
      'tasks[0].dueDay.time_zon: is no field of DueDay',
      'tasks[0].dueDay.date: must be an object',
    ]);
    const many = Object.fromEntries(Array.from({ length: 5000 }, (_, index) => [`k_${index}`, 1]));
    expect((await faultsOf('list_tasks', many)).slice(99)).toEqual([
      expect.stringMatching(/^k_99: is no argument/),
      ': and more',
    ]);
  });

  it('in faults are those of arguments', async () => {
    expect(await faultsOf('mark_notifications_read', {})).toEqual(['notificationIds: must be given, or one of all']);
    expect(await faultsOf('mark_notifications_read', { notificationIds: [ada.id], all: {} })).toEqual([
      'all: must not be set together with notificationIds',
    ]);
    expect(await faultsOf('update_task', { taskId: ada.id })).toEqual([
      expect.stringMatching(/^title: must be given, or one of description, .*dueTime, .*status$/),
    ]);
    expect(await faultsOf('update_tasks', { tasks: [{ taskId: ada.id }, { taskId: 'x', title: '' }] })).toEqual([
      expect.stringMatching(/^tasks\[0\]\.title: must be given, or one of description/),
      'tasks[1].taskId: must be a UUID',
      'tasks[1].title: must have 1 to 200 characters',
    ]);
    const due = {
      dueTime: '2031-01-31T18:00:00Z',
      dueDay: { date: { year: 2031, month: 1, day: 1 }, timeZone: 'UTC' },
    };
    expect(await faultsOf('create_task', { title: 'x', ...due })).toEqual([
      'dueDay: must not be set together with dueTime',
    ]);
    expect(await faultsOf('list_notifications', { digestId: ada.id, unreadOnly: true })).toEqual([
      'unreadOnly: must be unset with digestId',
    ]);
    expect(await failTool(agent, 'list_tasks', { pageToken: 'x' })).toMatchObject({
      reason: 'PAGE_TOKEN_INVALID',
      message: 'invalid: pageToken',
    });
  });

  it('in descriptions are those of tools and arguments', async () => {
    const { tools: listed } = await agent.listTools();
    const names = new Set(tools.map(({ name }) => name));
    // The keys of orderBy are values, which lists take so.
    const keys = ['create_time', 'update_time', 'due_time'];
    const texts = JSON.stringify(listed, (name, value: unknown) => (name === 'name' ? undefined : value));
    const odd = texts.match(/\b[a-z]+(?:_[a-z]+)+\b/g)?.filter((word) => !names.has(word) && !keys.includes(word));
    expect(odd).toEqual([]);
    await useTool(agent, 'list_tasks', { orderBy: keys.join(', ') });
  });
});

describe('J9: advice', () => {
  it('of a call that took too long names a requestId only to a change', async () => {
    await testCluster.cluster.kill('tasks', 'SIGSTOP');
    const told = await Promise.all([
      failTool(agent, 'list_tasks'),
      failTool(agent, 'create_task', { title: 'Late', requestId: 'late' }),
    ]);
    await testCluster.cluster.kill('tasks', 'SIGCONT');
    expect(told.map(({ requestId }) => requestId)).toEqual([undefined, 'late']);
    expect(told.map(({ advice }) => advice.includes('requestId'))).toEqual([false, true]);
  });

  it('of a resource that a token may not read is no internal error', async () => {
    const reading = await testCluster.createPersonalToken(ada, ['tasks:read']);
    const read = async (own: string, uri: string): Promise<string> =>
      (await postMessage(testCluster.cluster, own, rpc('resources/read', { uri }))).text;
    expect(await read(reading.token, 'taskflow://me')).toMatch(/"code":-32602.*MISSING_SCOPE.*"scope":"users:read"/);
    expect(await read(token, 'taskflow://tasks/x')).toMatch(/"code":-32602.*uri: its id must be a UUID/);
  });
});
