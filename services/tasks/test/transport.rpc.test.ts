import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { compressionAlgorithms, credentials, Client, Metadata, type ClientReadableStream } from '@grpc/grpc-js';
import { CreateTaskRequest, Task, TasksServiceService, type CreateTaskResponse } from '#contract/tasks/v1/tasks';
import { HealthCheckRequest, HealthService, type HealthCheckResponse } from '../../../libs/contract/src/gen/grpc/health/v1/health.ts';
import { createTask } from './factories.ts';
import { startTasks, type TestTasks, type TestUser } from './start-tasks.ts';

let service: TestTasks;
let user: TestUser;
beforeAll(async () => {
  service = await startTasks();
  user = await service.newUser();
});
afterAll(() => service.stop());

describe('G5 numbers', () => {
  it('beyond 2^53 arrive exactly', async () => {
    const counted = await service.newUser();
    await createTask(service, counted);
    const many = 2n ** 60n + 1n;
    await service.sql('update event_stream_heads set counters[2] = $2 where stream_id = $1', [counted.userId, String(many)]);
    const { stats } = await service.tasks.getTaskStats({ ownerId: '' }, counted.as);
    expect([stats?.total, stats?.pending, stats?.openMedium]).toEqual([many, many, many]);
  });
});

describe('G10 a client that compresses', () => {
  const { path, requestSerialize, responseDeserialize } = TasksServiceService.createTask;

  function call(channel: Client, request: CreateTaskRequest): Promise<CreateTaskResponse> {
    const metadata = new Metadata();
    metadata.set('authorization', `Bearer ${user.as.token}`);
    return new Promise((resolve, reject) => {
      channel.makeUnaryRequest(path, requestSerialize, responseDeserialize, request, metadata, (error, answer) => (answer === undefined ? reject(error as Error) : resolve(answer)));
    });
  }

  it.each(['gzip', 'deflate'] as const)('with %s is understood', async (algorithm) => {
    const channel = new Client(`127.0.0.1:${service.app.grpcPort}`, credentials.createInsecure(), { 'grpc.default_compression_algorithm': compressionAlgorithms[algorithm] });
    try {
      const description = 'The same again and again. '.repeat(300).trim();
      const { task } = await call(channel, CreateTaskRequest.fromPartial({ task: Task.fromPartial({ title: algorithm, description }) }));
      expect(task).toMatchObject({ title: algorithm, description });
      expect((await service.tasks.getTask({ taskId: task?.id ?? '' }, user.as)).task).toEqual(task);
    } finally {
      channel.close();
    }
  });
});

describe('G6 health of the service', () => {
  const names = ['', 'taskflow.tasks.v1.TasksService', 'taskflow.tasks.v1.InternalTasksService'];

  it('is pushed for each of its names when its database goes away', async () => {
    const cut = await startTasks();
    const channel = new Client(`127.0.0.1:${cut.app.grpcPort}`, credentials.createInsecure());
    const { path, requestSerialize, responseDeserialize } = HealthService.watch;
    const watching = names.map((name) => channel.makeServerStreamRequest(path, requestSerialize, responseDeserialize, HealthCheckRequest.fromPartial({ service: name })));
    const seen = watching.map(follow);
    try {
      await Promise.all(seen.map((status) => status.until('SERVING')));
      await cut.cutDatabase();
      await Promise.all(seen.map((status) => status.until('NOT_SERVING')));
    } finally {
      for (const stream of watching) stream.cancel();
      channel.close();
      await cut.stop();
    }
  });
});

/** The last status that was pushed, and a way to wait for one. */
function follow(stream: ClientReadableStream<HealthCheckResponse>): { until(wanted: string): Promise<void> } {
  let last: string | undefined;
  let look = (): void => undefined;
  stream.on('error', () => undefined);
  stream.on('data', ({ status }: HealthCheckResponse) => {
    last = status;
    look();
  });
  const until = (wanted: string): Promise<void> =>
    new Promise((resolve) => {
      look = () => {
        if (last === wanted) resolve();
      };
      look();
    });
  return { until };
}
