import { randomBytes } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { AuthServiceService } from '#contract/auth/v1/auth';
import { CreateTaskRequest, GetTaskRequest, Task, TasksServiceService } from '#contract/tasks/v1/tasks';
import {
  callOnce,
  measure,
  readCpuMs,
  startServerProcess,
  type BenchContext,
  type LoadRequest,
  type Suite,
} from '#dev/bench';
import type { Cluster } from '#dev/cluster';
import { openStub, retry } from '#dev/stubs';
import type { ForwarderSettings } from './bare-forwarder.ts';

const { path } = TasksServiceService.getTask;
const inFlight = [1, 16];
/** Multiples of an echo of the same message that passing a call on may cost. */
const aim = 4;
/** The same of what passes the call on by the same client and does nothing else. */
const floorAims = { http2: undefined, 'grpc-js': 2.5 };

/** A read of a task of somebody new. */
async function makeRequest(cluster: Cluster): Promise<LoadRequest> {
  const auth = openStub(AuthServiceService, cluster.address('auth'));
  const tasks = openStub(TasksServiceService, cluster.address('tasks'));
  try {
    const who = { email: `${randomBytes(8).toString('hex')}@example.com`, password: randomBytes(12).toString('hex') };
    const { tokens } = await auth.register({ ...who, displayName: 'Bench' });
    const token = tokens?.accessToken ?? '';
    const request = CreateTaskRequest.fromPartial({ task: Task.fromPartial({ title: 'Water the plants' }) });
    const { task } = await retry(() => tasks.createTask(request, { token }));
    return {
      message: GetTaskRequest.encode({ ...GetTaskRequest.fromPartial({}), taskId: task?.id ?? '' }).finish(),
      headers: { authorization: `Bearer ${token}` },
    };
  } finally {
    auth.close();
    tasks.close();
  }
}

const bareForwarder = fileURLToPath(new URL('./bare-forwarder.ts', import.meta.url));

/**
 * What the gateway's process costs for each call that it passes on, beside a bare echo of the same answer and beside
 * processes that pass the same call on and do nothing else.
 */
async function run({ options, results, generators, startCluster }: BenchContext): Promise<void> {
  const cluster = await startCluster({ services: ['auth', 'users', 'tasks', 'gateway'] });
  const request = await makeRequest(cluster);
  const answer = await callOnce(cluster.address('tasks'), path, request.message, request.headers);
  const script = fileURLToPath(new URL('../../tasks/bench/ceilings/echo-server.ts', import.meta.url));
  const echo = await startServerProcess(script, { getTask: answer });
  const target = cluster.address('tasks');
  const floors = await Promise.all(
    (['http2', 'grpc-js'] as const).map(async (by) => {
      const settings: ForwarderSettings = { target, by };
      return { name: `bare ${by}`, server: await startServerProcess(bareForwarder, settings), aim: floorAims[by] };
    }),
  );
  const gateway = {
    addresses: [cluster.address('gateway')],
    cpuMs: () => readCpuMs([cluster.httpAddress('gateway')]),
  };
  const overWeb = { ...request, headers: { ...request.headers, 'content-type': 'application/grpc-web+proto' } };
  try {
    const entrants = [
      { name: 'gateway', server: gateway, dataset: '', path, requests: () => [overWeb] },
      { name: 'E', server: echo, dataset: '', path, requests: () => [request], aim },
      ...floors.map((floor) => ({ ...floor, dataset: '', path, requests: () => [overWeb] })),
    ];
    await measure({ scenario: 'gateway GetTask', inFlight, entrants }, options.pace, generators, results);
  } finally {
    await Promise.all([echo, ...floors.map(({ server }) => server)].map((one) => one.stop()));
  }
}

export const suite: Suite = { run };
