import { BatchCreateTasksRequest, Task, type TaskResult, type TasksServiceService } from '#contract/tasks/v1/tasks';
import { patiently, unpackDetails, type PublicClient } from '#libs/grpc';
import type { FileDue, ImportedTask, Malformed } from '../exchange/file-task.ts';

export interface UploadOptions {
  client: PublicClient<typeof TasksServiceService>;
  /** A token that is valid now. */
  token: () => Promise<string>;
  /** Names this run, so that a repeated call within it has no second effect. */
  runId: string;
  /** Only checks. */
  dryRun: boolean;
  /** How long an unavailable service is waited for, per batch. */
  patienceMs: number;
}

export interface UploadResult {
  added: number;
  /** Were there from an earlier run. */
  present: number;
  /** Refused by the service. */
  refused: Malformed[];
  /** Why the rest was not tried, or not answered. */
  failure?: unknown;
}

const maxTasks = 200;
/** Of a request; the answer is a little larger, and must fit into a message. */
const maxBytes = 1024 * 1024;

function toDueFields(due: FileDue | undefined): Partial<Task> {
  if (due === undefined) return {};
  return 'time' in due ? { dueTime: due.time } : { dueDate: due.date, dueZone: due.zone };
}

function toTask({ due, title, description, status, priority, labels, externalId }: ImportedTask): Task {
  return Task.fromPartial({ title, description, status, priority, labels, externalId, ...toDueFields(due) });
}

interface Batch {
  entries: ImportedTask[];
  tasks: Task[];
}

function* toBatches(entries: readonly ImportedTask[]): Generator<Batch> {
  let batch: Batch = { entries: [], tasks: [] };
  let bytes = 0;
  for (const entry of entries) {
    const task = toTask(entry);
    const size = Task.encode(task).finish().length;
    if (batch.tasks.length > 0 && (batch.tasks.length === maxTasks || bytes + size > maxBytes)) {
      yield batch;
      batch = { entries: [], tasks: [] };
      bytes = 0;
    }
    batch.entries.push(entry);
    batch.tasks.push(task);
    bytes += size;
  }
  if (batch.tasks.length > 0) yield batch;
}

/** Fields as they are called in a task, without their place in the batch. */
function describeRefusal({ error }: TaskResult): { reason: string | undefined; problem: string } {
  const { reason, details } = unpackDetails(error?.details ?? []);
  const violations = details.violations?.map(({ field, description }) => `${field.replace(/^tasks\[\d+\]\./, '')} ${description}`);
  return { reason, problem: violations?.join('; ') ?? error?.message ?? '' };
}

const noResult: TaskResult = { task: undefined, error: undefined };

function record(entry: ImportedTask, result: TaskResult, into: UploadResult): void {
  if (result.task !== undefined) {
    into.added += 1;
    return;
  }
  const { reason, problem } = describeRefusal(result);
  if (reason === 'EXTERNAL_ID_TAKEN') into.present += 1;
  else into.refused.push({ place: entry.place, problem });
}

/** Repeats while the service is away; the request id makes that harmless. */
async function upload({ entries, tasks }: Batch, requestId: string, { client, token, dryRun, patienceMs }: UploadOptions, into: UploadResult): Promise<void> {
  const request = BatchCreateTasksRequest.fromPartial({ tasks, allowPartial: true, requestId, validateOnly: dryRun });
  const { results } = await patiently(async () => client.batchCreateTasks(request, { token: await token() }), patienceMs);
  for (const [index, entry] of entries.entries()) record(entry, results[index] ?? noResult, into);
}

/**
 * Creates the tasks, a batch after the other, so that they are as old as they stand in the file. When the service stays
 * away or refuses the caller, the rest is left and `failure` tells why; what was created stays.
 */
export async function uploadTasks(entries: readonly ImportedTask[], options: UploadOptions): Promise<UploadResult> {
  const result: UploadResult = { added: 0, present: 0, refused: [] };
  let number = 0;
  try {
    for (const batch of toBatches(entries)) await upload(batch, `import-${options.runId}-${(number += 1)}`, options, result);
  } catch (failure) {
    result.failure = failure;
  }
  return result;
}
