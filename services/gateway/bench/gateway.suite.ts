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

const { path } = TasksServiceService.getTask;
const inFlight = [1, 16];
/** Multiples of an echo of the same message that passing a call on may cost. */
const aim = 4;

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

/** What the gateway's process costs for each call that it passes on, beside a bare echo of the same answer. */
async function run({ options, results, generators, startCluster }: BenchContext): Promise<void> {
  const cluster = await startCluster({ services: ['auth', 'users', 'tasks', 'gateway'] });
  const request = await makeRequest(cluster);
  const answer = await callOnce(cluster.address('tasks'), path, request.message, request.headers);
  const script = fileURLToPath(new URL('../../tasks/bench/ceilings/echo-server.ts', import.meta.url));
  const echo = await startServerProcess(script, { getTask: answer });
  const gateway = {
    addresses: [cluster.address('gateway')],
    cpuMs: () => readCpuMs([cluster.httpAddress('gateway')]),
  };
  const overWeb = { ...request, headers: { ...request.headers, 'content-type': 'application/grpc-web+proto' } };
  try {
    const entrants = [
      { name: 'gateway', server: gateway, dataset: '', path, requests: () => [overWeb] },
      { name: 'E', server: echo, dataset: '', path, requests: () => [request], aim },
    ];
    await measure({ scenario: 'gateway GetTask', inFlight, entrants }, options.pace, generators, results);
  } finally {
    await echo.stop();
  }
}

export const suite: Suite = { run };
