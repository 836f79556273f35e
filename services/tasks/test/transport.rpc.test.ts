import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire';
import { describe, expect, it } from '@jest/globals';
import { compressionAlgorithms, credentials, Client, Metadata, type ClientReadableStream } from '@grpc/grpc-js';
import {
  BatchCreateTasksRequest,
  BatchCreateTasksResponse,
  CreateTaskRequest,
  Task,
  TasksServiceService,
  UpdateTaskRequest,
  CreateTaskResponse,
} from '#contract/tasks/v1/tasks';
import { CallError } from '#dev/stubs';
import { invalidFields } from '#dev/testing';
import {
  HealthCheckRequest,
  HealthService,
  type HealthCheckResponse,
} from '../../../libs/contract/src/gen/grpc/health/v1/health.ts';
import { Timestamp } from '#google/protobuf/timestamp';
import { createTask } from './factories.ts';
import { startTasks, useTasks, useUsers } from './start-tasks.ts';

const service = useTasks();
const [user] = useUsers(service, 'user');

/** Sends a request as it is, as a client in another language may write it. */
function sendBytes(path: string, request: Uint8Array): Promise<Buffer> {
  const metadata = new Metadata();
  metadata.set('authorization', `Bearer ${user.as.token}`);
  const channel = new Client(`127.0.0.1:${service.app.grpcPort}`, credentials.createInsecure());
  return new Promise<Buffer>((resolve, reject) => {
    channel.makeUnaryRequest(
      path,
      Buffer.from,
      (bytes) => bytes,
      request,
      metadata,
      (error, answer) => (error === null ? resolve(answer as Buffer) : reject(new CallError(path, error))),
    );
  }).finally(() => channel.close());
}

/** Messages in the fields of a request. */
function sendParts(path: string, ...parts: (readonly [field: number, bytes: Uint8Array])[]): Promise<Buffer> {
  const writer = new BinaryWriter();
  for (const [field, bytes] of parts) writer.tag(field, WireType.LengthDelimited).bytes(bytes);
  return sendBytes(path, writer.finish());
}

describe('G5 messages', () => {
  const { path } = TasksServiceService.createTask;
  const part = (fields: Partial<Task>) => [1, Task.encode(Task.fromPartial(fields)).finish()] as const;

  it('in several parts are joined', async () => {
    const parts = [
      part({ title: 'Lost', labels: ['one'] }),
      part({ description: 'kept', labels: ['two'] }),
      part({ title: 'Last' }),
    ];
    const { task } = CreateTaskResponse.decode(await sendParts(path, ...parts));
    expect(task).toMatchObject({ title: 'Last', description: 'kept', labels: ['one', 'two'] });
  });

  it('in several parts are refused by what they are together', async () => {
    const sent = sendParts(path, part({ title: ' ' }), part({ labels: [''] }));
    await expect(sent).rejects.toMatchObject({
      reason: 'INVALID_FIELD',
      details: { violations: [{ field: 'task.title' }, { field: 'task.labels[0]' }] },
    });
  });
});

describe('G5 numbers', () => {
  it('beyond 2^53 arrive exactly', async () => {
    const counted = await service.newUser();
    await createTask(service, counted);
    const many = 2n ** 60n + 1n;
    await service.sql('update event_stream_heads set counters[2] = $2 where stream_id = $1', [
      counted.userId,
      String(many),
    ]);
    const { stats } = await service.tasks.getTaskStats({ ownerId: '' }, counted.as);
    expect([stats?.totalCount, stats?.pendingCount, stats?.openMediumCount]).toEqual([many, many, many]);
  });
});

describe('G5 times', () => {
  /** A time as a client in another language may send it. */
  type WireTime = { seconds: bigint; nanos: number };

  function encode(...times: (readonly [field: number, time: WireTime])[]): Uint8Array {
    const writer = new BinaryWriter();
    for (const [field, time] of times)
      writer.tag(field, WireType.LengthDelimited).bytes(Timestamp.encode(time).finish());
    return writer.finish();
  }

  const send = (path: string, ...times: (readonly [field: number, time: WireTime])[]): Promise<unknown> =>
    sendBytes(path, encode(...times));
  const { path } = TasksServiceService.listTasks;
  const [dueStartTime, dueEndTime] = [6, 7];

  it('that are none are refused by name, all at once', async () => {
    const sent = send(
      path,
      [dueStartTime, { seconds: 0n, nanos: 2 ** 31 - 1 }],
      [dueEndTime, { seconds: 2n ** 40n, nanos: 0 }],
    );

    await expect(sent).rejects.toMatchObject({
      kind: 'invalid_argument',
      reason: 'INVALID_FIELD',
      details: { violations: [{ field: 'due_start_time' }, { field: 'due_end_time' }] },
    });
  });

  const never = { seconds: 2n ** 40n, nanos: 0 };
  const [dueTime, requests] = [7, 5];
  const member = (number: number, ...parts: Uint8Array[]): Uint8Array =>
    new BinaryWriter().tag(number, WireType.LengthDelimited).bytes(Buffer.concat(parts)).finish();

  it('that are none are refused with everything else that is wrong', async () => {
    const task = Task.encode(Task.fromPartial({ title: '' })).finish();
    const rest = CreateTaskRequest.encode(CreateTaskRequest.fromPartial({ requestId: '/' })).finish();
    const sent = sendBytes(
      TasksServiceService.createTask.path,
      Buffer.concat([member(1, task, encode([dueTime, never])), rest]),
    );
    expect(await invalidFields(sent)).toEqual(['task.due_time', 'task.title', 'request_id']);
  });

  it('that are none are refused alone in a batch that is made in parts', async () => {
    const task = Task.encode(Task.fromPartial({ title: 'x' })).finish();
    const rest = BatchCreateTasksRequest.encode(BatchCreateTasksRequest.fromPartial({ allowPartial: true })).finish();
    const answer = await sendBytes(
      TasksServiceService.batchCreateTasks.path,
      Buffer.concat([
        member(requests, member(1, task)),
        member(requests, member(1, task, encode([dueTime, never]))),
        rest,
      ]),
    );
    const { results } = BatchCreateTasksResponse.decode(answer);
    expect(results.map(({ result }) => result?.$case)).toEqual(['task', 'error']);
  });

  it('that are none are not read where an update does not name them', async () => {
    const { id } = await createTask(service, user);
    const task = Task.encode(Task.fromPartial({ id, title: 'renamed' })).finish();
    const rest = UpdateTaskRequest.encode(UpdateTaskRequest.fromPartial({ updateMask: ['title'] })).finish();
    await sendBytes(
      TasksServiceService.updateTask.path,
      Buffer.concat([member(1, task, encode([dueTime, never])), rest]),
    );
    const { task: renamed } = await service.tasks.getTask({ taskId: id }, user.as);
    expect([renamed?.title, renamed?.due]).toEqual(['renamed', undefined]);
  });

  it('of the first and the last instant are bounds like others', async () => {
    await expect(
      send(
        path,
        [dueStartTime, { seconds: -62_135_596_800n, nanos: 0 }],
        [dueEndTime, { seconds: 253_402_300_799n, nanos: 999_999_999 }],
      ),
    ).resolves.toBeDefined();
  });
});

describe('G10 a client that compresses', () => {
  const { path, requestSerialize, responseDeserialize } = TasksServiceService.createTask;

  function call(channel: Client, request: CreateTaskRequest): Promise<CreateTaskResponse> {
    const metadata = new Metadata();
    metadata.set('authorization', `Bearer ${user.as.token}`);
    return new Promise((resolve, reject) => {
      channel.makeUnaryRequest(path, requestSerialize, responseDeserialize, request, metadata, (error, answer) =>
        answer === undefined ? reject(error as Error) : resolve(answer),
      );
    });
  }

  it.each(['gzip', 'deflate'] as const)('with %s is understood', async (algorithm) => {
    const channel = new Client(`127.0.0.1:${service.app.grpcPort}`, credentials.createInsecure(), {
      'grpc.default_compression_algorithm': compressionAlgorithms[algorithm],
    });
    try {
      const description = 'The same again and again. '.repeat(300).trim();
      const { task } = await call(
        channel,
        CreateTaskRequest.fromPartial({ task: Task.fromPartial({ title: algorithm, description }) }),
      );
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
    const watching = names.map((name) =>
      channel.makeServerStreamRequest(
        path,
        requestSerialize,
        responseDeserialize,
        HealthCheckRequest.fromPartial({ service: name }),
      ),
    );
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
