import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Task, type TaskEvent } from '#contract/tasks/v1/tasks';
import { serviceNames, waitUntil } from '#dev/cluster';
import { openClients, type ClusterClients } from '../testing/src/cluster-clients.ts';
import { hasAnswered, repeatCalls } from './repeated-calls.ts';
import { startTestCluster, type Person, type TestCluster } from './test-cluster.ts';

let testCluster: TestCluster;
let ada: Person;
let clients: ClusterClients;
beforeAll(async () => {
  testCluster = await startTestCluster({ replicas: Object.fromEntries(serviceNames.map((service) => [service, 2])) });
  ada = await testCluster.register();
  clients = openClients(testCluster.cluster);
});
afterAll(async () => {
  clients?.close();
  await testCluster?.stop();
});

const answering = 'CreateTask|ListTasks|GetMe|ListSessions|ListNotifications';

describe('invariant 7: a rolling restart of every service under load', () => {
  it('fails no call of clients that send nothing twice, and streams go on where they were', async () => {
    const as = { token: ada.token };
    const events: TaskEvent[] = [];
    const leaving = new AbortController();
    let resumeToken = '';
    let interruptions = 0;
    const follow = async (): Promise<void> => {
      while (!leaving.signal.aborted) {
        try {
          for await (const message of clients.tasks.watchTasks({ resumeToken }, { ...as, signal: leaving.signal })) {
            if (message.event !== undefined) events.push(message.event);
            resumeToken = message.resumeToken;
          }
        } catch {
          interruptions += 1;
        }
      }
    };
    const following = follow();
    await waitUntil(() => resumeToken !== '');
    const working = repeatCalls({
      CreateTask: () => clients.tasks.createTask({ task: Task.fromPartial({ title: 'rolling' }) }, as),
      'CreateTask for somebody': () =>
        clients.tasks.createTask(
          { task: Task.fromPartial({ title: 'rolling', assigneeId: testCluster.admin.id }) },
          as,
        ),
      ListTasks: () => clients.tasks.listTasks({}, as),
      GetMe: () => clients.users.getMe({}, as),
      ListSessions: () => clients.auth.listSessions({}, as),
      ListNotifications: () => clients.notifications.listNotifications({}, as),
    });
    for (const service of serviceNames) {
      for (const replica of [0, 1]) {
        await testCluster.cluster.restart(service, replica);
        // As minReadySeconds of the deployments does: clients find the new replica before the next one goes.
        await waitUntil(() => hasAnswered(testCluster.cluster, service, replica, answering));
      }
    }
    const calls = await working.stop();
    expect(working.failures).toEqual([]);
    expect(calls).toBeGreaterThan(100);
    const { stats } = await clients.tasks.getTaskStats({}, as);
    await waitUntil(() => events.length >= Number(stats?.totalCount));
    leaving.abort();
    await following;
    expect(interruptions).toBeGreaterThan(0);
    expect(events.map(({ sequence }) => Number(sequence)).sort((a, b) => a - b)).toEqual(
      Array.from({ length: Number(stats?.totalCount) }, (_, index) => index + 1),
    );
  }, 600_000);
});
