import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { inBatches, itemsOf, serviceNames, watchTasks, type Account, type Session } from '#client/index';
import { AuditService } from '#client/audit';
import { ExportService } from '#client/export';
import { createTaskFlow } from '#client/node';
import { BreakersService } from '#client/resilience';
import { ServerInfoService } from '#client/server';
import type { TaskFlow } from '#client/taskflow';
import { createTaskFlow as createWebTaskFlow } from '#client/web';
import { startTcpProxy, waitUntil } from '#dev/cluster';
import { outcomeOf, refusal, startClientCluster, type ClientCluster } from './test-client.ts';

let service: ClientCluster;
let account: Account;
let address: string;
const opened: TaskFlow[] = [];
beforeAll(async () => {
  service = await startClientCluster({ services: ['auth', 'users', 'tasks', 'scheduler', 'gateway'] });
  account = await service.register();
  address = `http://${service.cluster.address('gateway')}`;
}, 120_000);
afterAll(async () => {
  for (const taskflow of opened) taskflow.close();
  await service?.stop();
});

const platforms = { '/node': createTaskFlow, '/web': createWebTaskFlow };

describe.each(['/node', '/web'] as const)('%s at the one address of the gateway', (name) => {
  const open = (who = account): TaskFlow<Session> => {
    const taskflow = platforms[name]({ address, credentials: { account: who } });
    opened.push(taskflow);
    return taskflow;
  };

  it('signs in, changes, reads lists, and renews a token that is refused', async () => {
    const taskflow = open();
    const title = `by ${name} ${randomUUID()}`;
    const members = [1, 2, 3].map((number) => ({ task: { title: `${title} ${number}` } }));
    await Array.fromAsync(inBatches(taskflow.tasks.batchCreateTasks, members, {}));
    expect(await taskflow.session.renew((await taskflow.session.token()) ?? '')).toBe(true);
    const found = await Array.fromAsync(itemsOf(taskflow.tasks.listTasks, { text: title, pageSize: 2 }));
    expect(found.map((task) => task.title).toSorted()).toEqual(members.map(({ task }) => task.title));
  });

  it('has errors with reason, violations and the id of the call', async () => {
    const callId = randomUUID();
    const error = await refusal(open().tasks.createTask({ task: { title: '' } }, { callId }));
    expect(error).toMatchObject({ code: 'INVALID_ARGUMENT', reason: 'INVALID_FIELD', callId });
    expect(error.violations.map(({ field }) => field)).toEqual(['task.title']);
  });

  it('watches what happens elsewhere', async () => {
    const title = `watched ${randomUUID()}`;
    for await (const update of watchTasks(open().tasks, { start: 'now' })) {
      if (update.kind === 'heartbeat') await service.open({ account }).tasks.createTask({ task: { title } });
      if (update.kind === 'event' && update.event.change?.after?.title === title) break;
    }
  });

  it('asks each service for what all of them offer', async () => {
    const { cluster } = service;
    const { connection } = open(cluster.admin);
    for (const at of serviceNames) {
      expect((await connection.service(ServerInfoService, { at }).getServerInfo({})).service).toBe(at);
      expect(await outcomeOf(connection.service(BreakersService, { at }).listBreakers({}))).toBe('OK');
      expect(await outcomeOf(connection.service(AuditService, { at }).listAuditEvents({}))).toBe('OK');
      const pieces = await Array.fromAsync(connection.service(ExportService, { at }).exportMyData({}));
      expect(pieces.map(({ lines }) => lines).join('')).toContain('"type":"trailer"');
    }
    expect(() => connection.service(ServerInfoService)).toThrow(/say by `at` which service is asked/);
  });
});

describe('/node', () => {
  it('repeats a change whose answer the gateway did not bring, with one effect', async () => {
    const proxy = await startTcpProxy(address);
    try {
      const taskflow = createTaskFlow({ address: `http://${proxy.address}`, credentials: { account } });
      opened.push(taskflow);
      await taskflow.tasks.getTaskStats({});
      const title = `lost ${randomUUID()}`;
      const callId = randomUUID();
      proxy.mute();
      const answer = taskflow.tasks.createTask({ task: { title } }, { callId });
      await waitUntil(() => service.answered('tasks', 'CreateTask', callId) > 0);
      await proxy.restore();
      await answer;
      const found = await Array.fromAsync(itemsOf(taskflow.tasks.listTasks, { text: title }));
      expect(found.map((task) => task.title)).toEqual([title]);
    } finally {
      await proxy.close();
    }
  });

  it('says what to do when the other side speaks another protocol', async () => {
    const wrong = [createTaskFlow({ address, transport: 'grpc' }), createTaskFlow({ address: service.addresses.auth })];
    opened.push(...wrong);
    const errors = await Promise.all(wrong.map(({ auth }) => refusal(auth.getJwks({}))));
    expect(errors.map(({ code }) => code)).toEqual(['UNIMPLEMENTED', 'UNIMPLEMENTED']);
    expect(errors[0]?.message).toContain("for the gateway say transport: 'connect'");
    expect(errors[1]?.message).toContain("for services say transport: 'grpc'");
  });
});
