import { randomBytes } from 'node:crypto';
import { afterAll, describe, expect, it } from '@jest/globals';
import { NotificationKind } from '#contract/scheduler/v1/notifications';
import { Task } from '#contract/tasks/v1/tasks';
import { waitUntil } from '#dev/cluster';
import { startOtlpReceiver, type ReceivedSpan } from '#dev/testing';
import { startSchedulerCluster } from './start-cluster.ts';
import { untilRows } from './waiting.ts';

const receiver = await startOtlpReceiver();
const cluster = await startSchedulerCluster({
  env: {
    TASKFLOW_SCHEDULER_SWEEP_INTERVAL_MS: '3600000',
    TASKFLOW_OTLP_ENDPOINT: receiver.url,
    TASKFLOW_TRACE_RATIO: '0',
  },
});
const ada = await cluster.newUser('Ada');
const bob = await cluster.newUser('Bob');
afterAll(async () => {
  await cluster.stop();
  await receiver.stop();
});

interface Origin {
  traceId: string;
  spanId: string;
  metadata: Record<string, string>;
}

/** A caller that traces itself. */
function traced(flags: '00' | '01' = '01'): Origin {
  const [traceId, spanId] = [randomBytes(16).toString('hex'), randomBytes(8).toString('hex')];
  return { traceId, spanId, metadata: { traceparent: `00-${traceId}-${spanId}-${flags}` } };
}

async function assignToBob({ metadata }: Origin, title = 'Water the plants'): Promise<Task> {
  const { task } = await cluster.tasks.createTask(
    { task: Task.fromPartial({ title, assigneeId: bob.userId }) },
    { ...ada.as, metadata },
  );
  return task as Task;
}

const spansOf = ({ traceId }: Origin): ReceivedSpan[] => receiver.spans.filter((span) => span.traceId === traceId);

/** Whether the parent of a span has arrived, and for a call also the other side with its statements. */
function isPlaced(span: ReceivedSpan, origin: Origin): boolean {
  const spans = spansOf(origin);
  const hasParent = span.parentId === origin.spanId || spans.some(({ spanId }) => spanId === span.parentId);
  const needsChild = span.attributes['rpc.system.name'] === 'grpc';
  return hasParent && (!needsChild || spans.some(({ parentId }) => parentId === span.spanId));
}

/** Once all spans have arrived; each process exports its own, a second late. */
function untilRun(origin: Origin): Promise<ReceivedSpan[]> {
  const complete = (spans: ReceivedSpan[]) =>
    spans.some(({ name }) => name === 'run deliver-notifications') && spans.every((span) => isPlaced(span, origin));
  return waitUntil(async () => spansOf(origin), complete);
}

const sideOf = ['', 'internal', 'server', 'client', 'producer', 'consumer'];

/** The tree below a span, one line for each, in the words "service side name"; equal siblings appear once. */
function treeOf(spans: readonly ReceivedSpan[], parentId: string, indent = ''): string[] {
  const children = spans.filter((span) => span.parentId === parentId);
  const lines = children.map((span) =>
    [`${indent}${span.service} ${sideOf[span.kind]} ${span.name}`, ...treeOf(spans, span.spanId, `${indent}  `)].join(
      '\n',
    ),
  );
  return [...new Set(lines)].sort();
}

describe('H4: one trace from the call to the handler of its job', () => {
  it('holds the call, its statements, the calls it makes, the event, the queue, the job and what the job does', async () => {
    const origin = traced();
    await assignToBob(origin);
    const spans = await untilRun(origin);
    const lines = treeOf(spans, origin.spanId).join('\n').split('\n');
    const expected = [
      /^tasks server taskflow.tasks.v1.TasksService\/CreateTask$/,
      /^ {2}tasks client taskflow.users.v1.InternalUsersService\/BatchGetUsers$/,
      /^ {4}users server taskflow.users.v1.InternalUsersService\/BatchGetUsers$/,
      /^ {6}users client \S+/,
      /^ {2}tasks client [\w -]+$/,
      /^ {2}scheduler consumer ingest tasks$/,
      /^ {4}scheduler client INSERT [a-z_]+$/,
      /^ {4}scheduler producer enqueue deliver-notifications$/,
      /^ {6}scheduler consumer run deliver-notifications$/,
      /^ {8}scheduler client [A-Za-z_ -]+$/,
      /^ {8}scheduler client taskflow.tasks.v1.InternalTasksService\/BatchGetTaskStates$/,
      /^ {10}tasks server taskflow.tasks.v1.InternalTasksService\/BatchGetTaskStates$/,
      /^ {12}tasks client \S+/,
    ];
    for (const line of expected) expect(lines).toContainEqual(expect.stringMatching(line));
    expect(lines.filter((line) => !line.startsWith(' '))).toEqual([
      'tasks server taskflow.tasks.v1.TasksService/CreateTask',
    ]);
    expect(spans.filter(({ failed }) => failed)).toEqual([]);
  });

  it('names each operation and its result, without the text and the values of statements', async () => {
    const origin = traced();
    const title = `Title ${randomBytes(8).toString('hex')}`;
    const task = await assignToBob(origin, title);
    const spans = await untilRun(origin);
    const find = (name: string) => spans.find((span) => span.name === name)?.attributes;
    expect(find('taskflow.tasks.v1.TasksService/CreateTask')).toEqual({
      'rpc.system.name': 'grpc',
      'rpc.method': 'taskflow.tasks.v1.TasksService/CreateTask',
      'rpc.response.status_code': 'OK',
      'taskflow.request_id': expect.any(String),
    });
    expect(spans.find(({ name, kind }) => name.endsWith('BatchGetTaskStates') && kind === 3)?.attributes).toEqual({
      'rpc.system.name': 'grpc',
      'rpc.method': 'taskflow.tasks.v1.InternalTasksService/BatchGetTaskStates',
      'rpc.response.status_code': 'OK',
      'server.address': 'tasks',
      'taskflow.breaker.state': 'closed',
    });
    const statement = spans.find(
      ({ service, attributes }) => service === 'tasks' && attributes['db.operation.name'] === 'INSERT',
    );
    const table = statement?.attributes['db.collection.name'];
    expect(statement?.attributes).toEqual({
      'db.system.name': 'postgresql',
      'db.operation.name': 'INSERT',
      'db.query.summary': `INSERT ${String(table)}`,
      'db.collection.name': table,
    });
    expect(find('run deliver-notifications')).toEqual({
      'messaging.system': 'bullmq',
      'messaging.destination.name': 'notifications',
      'messaging.message.id': expect.any(String),
      'taskflow.job.attempt': 1,
      'taskflow.job.starts': 1,
    });
    const received = receiver.received();
    for (const value of [title, task.id, ada.as.token]) expect(received.includes(value)).toBe(false);
  });

  it('gives each of several calls that share a batch and a job its own trace, linked to the trace of the job', async () => {
    await cluster.redis.cut();
    const origins = [traced(), traced()];
    for (const origin of origins) await assignToBob(origin);
    await untilRows(cluster, 2, "select 1 from notifications where state = 'pending'");
    await cluster.redis.restore();
    const complete = (spans: ReceivedSpan[]) =>
      spans.filter(({ name }) => name === 'run deliver-notifications').length === 1;
    const spans = await waitUntil(async () => origins.flatMap(spansOf), complete);
    const run = spans.find(({ name }) => name === 'run deliver-notifications') as ReceivedSpan;
    const others = spans.filter(({ name, traceId }) => name === 'ingest tasks' && traceId !== run.traceId);
    expect(others).toHaveLength(1);
    expect(run.links).toEqual(others.map(({ spanId }) => spanId));
    expect(
      (await cluster.inbox(bob)).filter(({ kind }) => kind === NotificationKind.ASSIGNED).length,
    ).toBeGreaterThanOrEqual(2);
  });

  it('continues after a kill before the event is read, and after a restart before the job is made, with Redis emptied', async () => {
    await cluster.cluster.kill('scheduler', 'SIGKILL');
    const beforeEvent = traced();
    await assignToBob(beforeEvent);
    await cluster.flushRedis();
    await cluster.cluster.start('scheduler');
    await untilRun(beforeEvent);

    await cluster.redis.cut();
    const beforeJob = traced();
    const task = await assignToBob(beforeJob);
    await untilRows(cluster, 1, "select 1 from notifications where state = 'pending' and task_id = $1", [task.id]);
    await cluster.cluster.kill('scheduler', 'SIGTERM');
    await cluster.flushRedis();
    await cluster.redis.restore();
    await cluster.cluster.start('scheduler');
    await untilRun(beforeJob);
    for (const origin of [beforeEvent, beforeJob]) {
      const lines = treeOf(spansOf(origin), origin.spanId).join('\n').split('\n');
      for (const line of [
        /^ {2}scheduler consumer ingest tasks$/,
        /^ {4}scheduler producer enqueue deliver-notifications$/,
        /^ {6}scheduler consumer run deliver-notifications$/,
      ]) {
        expect(lines).toContainEqual(expect.stringMatching(line));
      }
    }
  });

  it('a refusal is recorded with its reason, and is no failure of the service', async () => {
    const origin = traced();
    await expect(
      cluster.tasks.createTask({ task: Task.fromPartial({ title: '' }) }, { ...ada.as, metadata: origin.metadata }),
    ).rejects.toMatchObject({ reason: 'INVALID_FIELD' });
    const [span] = await waitUntil(
      async () => spansOf(origin),
      (spans) => spans.length > 0,
    );
    expect(span).toMatchObject({
      failed: false,
      attributes: { 'rpc.response.status_code': 'INVALID_ARGUMENT', 'taskflow.reason': 'INVALID_FIELD' },
    });
  });

  it("follows the caller's sampling; the ratio decides about traces that begin here", async () => {
    const [unrecorded, recorded] = [traced('00'), traced()];
    await assignToBob(unrecorded);
    await cluster.createTask(ada);
    await assignToBob(recorded);
    await untilRun(recorded);
    expect(spansOf(unrecorded)).toEqual([]);
    const known = new Set(receiver.spans.filter(({ parentId }) => parentId === '').map(({ name }) => name));
    expect(known).toEqual(new Set());
  });

  it('writes the id of the trace into the lines of every call and job', async () => {
    const origin = traced();
    // A user whom tasks has not looked up yet.
    const { userId: assigneeId } = await cluster.newUser('Carla');
    await cluster.tasks.createTask(
      { task: Task.fromPartial({ title: 'Water the plants', assigneeId }) },
      { ...ada.as, metadata: origin.metadata },
    );
    await untilRun(origin);
    const known = (service: 'tasks' | 'users' | 'scheduler', what = '') =>
      waitUntil(
        async () =>
          cluster.cluster
            .logs(service)
            .split('\n')
            .some((line) => line.includes(origin.traceId) && line.includes(what)),
        Boolean,
      );
    for (const service of ['tasks', 'users', 'scheduler'] as const) await known(service);
    await known('scheduler', 'job completed');
  });
});
