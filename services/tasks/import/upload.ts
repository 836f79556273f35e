import { BatchCreateTasksRequest, Task, type TaskResult, type TasksServiceService } from '#contract/tasks/v1/tasks';
import { retry, unpackDetails, type PublicClient } from '#libs/grpc';
import type { Status } from '#google/rpc/status';
import type { ImportedTask, Notice } from '../exchange/file-task.ts';
import { toTaskDue } from '../exchange/task-due.ts';
import { findKnownTasks } from './known-tasks.ts';

export interface UploadOptions {
  client: PublicClient<typeof TasksServiceService>;
  /** Returns a valid token. */
  token: () => Promise<string>;
  /** Whose tasks they become. */
  userId: () => Promise<string>;
  /** Part of the request ids, so that a retry has no second effect. */
  runId: string;
  /** Only checks the tasks. */
  dryRun: boolean;
  /** Whom the tasks are assigned to; '' = nobody. */
  assigneeEmail: string;
  /** How long each batch waits for an unavailable service. */
  giveUpAfterMs: number;
  /** Called for each task that the service refuses. */
  onRefused: (notice: Notice) => void;
}

export interface UploadResult {
  added: number;
  /** Existed before: from an earlier run, or exported from this account. */
  present: number;
  refused: number;
  /** Why the rest was not sent or not answered. */
  failure?: unknown;
}

export function newUploadResult(): UploadResult {
  return { added: 0, present: 0, refused: 0 };
}

const maxTasks = 200;
/** Of a request. The answer is a little larger and must fit into a message. */
const maxBytes = 1024 * 1024;

function toTask(
  { due, title, description, status, priority, labels, externalId }: ImportedTask,
  assigneeId = '',
): Task {
  return Task.fromPartial({
    title,
    description,
    status,
    priority,
    labels,
    externalId,
    due: toTaskDue(due),
    assigneeId,
  });
}

async function* toBatches(entries: AsyncIterable<ImportedTask>): AsyncGenerator<ImportedTask[]> {
  let batch: ImportedTask[] = [];
  let bytes = 0;
  for await (const entry of entries) {
    const size = Task.encode(toTask(entry)).finish().length;
    if (batch.length > 0 && (batch.length === maxTasks || bytes + size > maxBytes)) {
      yield batch;
      batch = [];
      bytes = 0;
    }
    batch.push(entry);
    bytes += size;
  }
  if (batch.length > 0) yield batch;
}

/** Names fields as in a task, without their place in the batch. */
function describeRefusal(error: Status | undefined): { reason: string | undefined; problem: string } {
  const { reason, details } = unpackDetails(error?.details ?? []);
  const violations = details.violations?.map(
    ({ field, description }) => `${field.replace(/^requests\[\d+\]\.task\./, '')} ${description}`,
  );
  return { reason, problem: violations?.join('; ') ?? error?.message ?? '' };
}

function record(
  entry: ImportedTask,
  result: TaskResult['result'],
  { onRefused }: UploadOptions,
  into: UploadResult,
): void {
  if (result?.$case === 'task') {
    into.added += 1;
    return;
  }
  const { reason, problem } = describeRefusal(result?.value);
  if (reason === 'EXTERNAL_ID_TAKEN') into.present += 1;
  else {
    into.refused += 1;
    onRefused({ place: entry.place, problem });
  }
}

/** Retries while the service is down. The request id makes that safe. */
async function create(
  entries: readonly ImportedTask[],
  requestId: string,
  options: UploadOptions,
  into: UploadResult,
): Promise<void> {
  const { client, token, userId, dryRun, assigneeEmail, giveUpAfterMs } = options;
  const isOwn = ({ isOwnAssignment = false }: ImportedTask): boolean => isOwnAssignment && assigneeEmail === '';
  const self = entries.some(isOwn) ? await userId() : '';
  const request = BatchCreateTasksRequest.fromPartial({
    requests: entries.map((entry) => ({ task: toTask(entry, isOwn(entry) ? self : ''), assigneeEmail })),
    allowPartial: true,
    requestId,
    validateOnly: dryRun,
  });
  const { results } = await retry(
    async () => client.batchCreateTasks(request, { token: await token() }),
    giveUpAfterMs,
  );
  for (const [index, entry] of entries.entries()) record(entry, results[index]?.result, options, into);
}

/** Skips tasks that were exported from this account and still exist. */
async function upload(
  entries: readonly ImportedTask[],
  requestId: string,
  options: UploadOptions,
  into: UploadResult,
): Promise<void> {
  const known = await findKnownTasks(
    entries.flatMap(({ taskId }) => taskId ?? []),
    options,
  );
  const unknown = entries.filter(({ taskId }) => taskId === undefined || !known.has(taskId));
  into.present += entries.length - unknown.length;
  if (unknown.length > 0) await create(unknown, requestId, options, into);
}

/**
 * Creates the tasks in the order of the file, one batch after the other, and keeps `result` up to date. When the service stays
 * down or refuses the caller, it stops and sets `failure`; created tasks stay.
 */
export async function uploadTasks(
  entries: AsyncIterable<ImportedTask>,
  options: UploadOptions,
  result: UploadResult,
): Promise<void> {
  let number = 0;
  try {
    for await (const batch of toBatches(entries))
      await upload(batch, `import-${options.runId}-${(number += 1)}`, options, result);
  } catch (failure) {
    result.failure = failure;
  }
}
