import { Task, TaskPriority, TaskStatus, type TasksServiceService } from '#contract/tasks/v1/tasks';
import { CallError, patiently, type PublicClient } from '#libs/grpc';
import type { ImportedTask, MalformedLine } from './todo-txt.ts';

export interface UploadOptions {
  client: PublicClient<typeof TasksServiceService>;
  /** A token that is valid now. */
  token: () => Promise<string>;
  /** Names this run, so that a repeated call within it has no second effect. */
  runId: string;
  /** How long an unavailable service is waited for, per task. */
  patienceMs: number;
}

export interface UploadResult {
  added: number;
  /** Were there from an earlier run. */
  present: number;
  /** Refused by the service. */
  refused: MalformedLine[];
}

const inFlight = 8;

function toTask({ title, description, priority, completed, dueTime, labels, externalId }: ImportedTask): Task {
  const status = completed ? TaskStatus.COMPLETED : TaskStatus.PENDING;
  return Task.fromPartial({ title, description, priority: TaskPriority[priority], status, dueTime, labels, externalId });
}

/** Repeats while the service is away; the request id makes that harmless. */
function createPatiently(task: ImportedTask, options: UploadOptions): Promise<'added' | 'present'> {
  const request = { task: toTask(task), requestId: `import-${options.runId}-${task.line}` };
  return patiently(async () => {
    try {
      await options.client.createTask(request, { token: await options.token() });
      return 'added';
    } catch (error) {
      if (error instanceof CallError && error.reason === 'EXTERNAL_ID_TAKEN') return 'present';
      throw error;
    }
  }, options.patienceMs);
}

function describeRefusal(error: CallError): string {
  const violations = error.details.violations?.map(({ field, description }) => `${field} ${description}`);
  return violations?.join('; ') ?? `${error.kind} ${error.reason ?? ''}`.trim();
}

async function uploadOne(task: ImportedTask, options: UploadOptions, result: UploadResult): Promise<void> {
  try {
    result[await createPatiently(task, options)] += 1;
  } catch (error) {
    if (!(error instanceof CallError) || error.kind !== 'invalid_argument') throw error;
    result.refused.push({ line: task.line, problem: describeRefusal(error) });
  }
}

/** Creates the tasks, several at a time. Rejects when the service stays away or refuses the caller; what was created stays. */
export async function uploadTasks(tasks: readonly ImportedTask[], options: UploadOptions): Promise<UploadResult> {
  const result: UploadResult = { added: 0, present: 0, refused: [] };
  const queue = tasks.values();
  const work = async (): Promise<void> => {
    for (const task of queue) await uploadOne(task, options, result);
  };
  await Promise.all(Array.from({ length: inFlight }, work));
  return result;
}
