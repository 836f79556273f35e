import { inBatches, TaskFlowError, type TaskFlow } from '#client/index';
import type { TaskResult } from '#client/tasks';
import { patient } from '../exchange/patient.ts';
import type { ImportedTask, Notice } from '../exchange/file-task.ts';
import { toTaskMessage } from '../exchange/task-messages.ts';
import { findKnownTasks } from './known-tasks.ts';

export interface UploadOptions {
  client: TaskFlow['tasks'];
  /** Whose tasks they become. */
  userId: () => Promise<string>;
  /** Part of the request ids, so that a retry has no second effect. */
  runId: string;
  /** Only checks the tasks. */
  dryRun: boolean;
  /** Whom the tasks are assigned to; '' = nobody. */
  assigneeEmail: string;
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

/** So that progress shows, and a failure leaves little unknown. */
const groupSize = 200;

async function* toGroups(entries: AsyncIterable<ImportedTask>): AsyncGenerator<ImportedTask[]> {
  let group: ImportedTask[] = [];
  for await (const entry of entries) {
    group.push(entry);
    if (group.length < groupSize) continue;
    yield group;
    group = [];
  }
  if (group.length > 0) yield group;
}

/** Names fields as in a task, without their place in the batch. */
function describeRefusal({ violations, message }: TaskFlowError): string {
  const faults = violations.map(
    ({ field, description }) => `${field.replace(/^requests\[\d+\]\.task\./, '')} ${description}`,
  );
  return faults.length > 0 ? faults.join('; ') : message;
}

function record(entry: ImportedTask, { result }: TaskResult, { onRefused }: UploadOptions, into: UploadResult): void {
  if (result.case !== 'error') {
    into.added += 1;
    return;
  }
  const error = TaskFlowError.fromStatus(result.value);
  if (error.reason === 'EXTERNAL_ID_TAKEN') into.present += 1;
  else {
    into.refused += 1;
    onRefused({ place: entry.place, problem: describeRefusal(error) });
  }
}

/** Retries while the service is down. The request id makes that safe. */
async function create(
  entries: readonly ImportedTask[],
  requestId: string,
  options: UploadOptions,
  into: UploadResult,
): Promise<void> {
  const { client, userId, dryRun: validateOnly, assigneeEmail } = options;
  const batchCreateTasks = patient(client.batchCreateTasks);
  const isOwn = ({ isOwnAssignment = false }: ImportedTask): boolean => isOwnAssignment && assigneeEmail === '';
  const self = entries.some(isOwn) ? await userId() : '';
  const members = entries.map((entry) => ({
    task: toTaskMessage(entry, isOwn(entry) ? self : ''),
    assigneeEmail,
    entry,
  }));
  const request = { allowPartial: true, requestId, validateOnly };
  for await (const { member, result } of inBatches(batchCreateTasks, members, request))
    record(member.entry, result, options, into);
}

/** Skips tasks that were exported from this account and still exist. */
async function upload(
  entries: readonly ImportedTask[],
  requestId: string,
  options: UploadOptions,
  into: UploadResult,
): Promise<void> {
  const { client: tasks, userId } = options;
  const known = await findKnownTasks(
    { tasks, userId },
    entries.flatMap(({ taskId }) => taskId ?? []),
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
    for await (const group of toGroups(entries))
      await upload(group, `import-${options.runId}-${(number += 1)}`, options, result);
  } catch (failure) {
    result.failure = failure;
  }
}
