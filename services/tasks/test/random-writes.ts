import type { Task } from '#contract/tasks/v1/tasks';
import {
  CreateTaskRequest,
  CreateTaskResponse,
  DeleteTaskRequest,
  DeleteTaskResponse,
  TaskPriority,
  TaskStatus,
  UndeleteTaskRequest,
  UndeleteTaskResponse,
  UpdateTaskRequest,
  UpdateTaskResponse,
} from '#contract/tasks/v1/tasks';
import type { Random } from '../../../libs/dev/testing/src/random.ts';
import { AppError } from '#libs/errors';
import { newTraceParent, runInBackground, type Logger, type UserActor } from '#libs/runtime';
import type { TasksDeps } from '../src/deps.ts';
import { readCreateTask, readUpdateTask, readWholeTaskChange } from '../src/rpc/task.requests.ts';
import { toEtag } from '../src/domain/task.columns.ts';
import { createTask } from '../src/use-cases/create-task.ts';
import { deleteTask } from '../src/use-cases/delete-task.ts';
import { undeleteTask } from '../src/use-cases/undelete-task.ts';
import type { LookUpNeeds } from '../src/use-cases/look-up-people.ts';
import { updateTask } from '../src/use-cases/update-task.ts';

/** What changes of single tasks need. */
export type WriteDeps = LookUpNeeds & Pick<TasksDeps, 'uow' | 'oneTaskUow' | 'clock' | 'retentionMs'>;

/** Each method with the request that it takes. */
export type WriteRequest =
  | { method: 'CreateTask'; request: CreateTaskRequest }
  | { method: 'UpdateTask'; request: UpdateTaskRequest }
  | { method: 'DeleteTask'; request: DeleteTaskRequest }
  | { method: 'UndeleteTask'; request: UndeleteTaskRequest };

export type Write = WriteRequest & {
  actor: UserActor;
  /** Calls begin at the same moment when this is the same; each step is a turn of the event loop. */
  turn: number;
  /** When the call ends: milliseconds, or turns of the event loop until its caller gives up. */
  end: { timeoutMs: number } | { turns: number } | undefined;
};

export interface WriteResult {
  write: Write;
  callId: string;
  traceParent: string;
  /** The bytes of the response, or why there is none. */
  outcome: { response: Uint8Array } | { refusal: string } | { ended: true } | { unexpected: unknown };
}

export const writers = ['a', 'b', 'c'].map((letter): UserActor => {
  const userId = `${letter.repeat(8)}-0000-7000-8000-000000000000`;
  return { kind: 'user', userId, role: 'user', sessionId: '' };
});
/** Does not exist. */
export const stranger = 'ffffffff-0000-7000-8000-000000000000';
const externalIds = ['x1', 'x2', 'x3'];
/** The caller of this gives up at the end. */
const longMs = 60_000;

/** Calls that meet each other: few people, few tasks, few external ids, repeated idempotency keys. */
export class RandomWrites {
  readonly #random: Random;
  readonly #taskIds: string[] = [];
  readonly #keyed: (WriteRequest & { actor: UserActor })[] = [];
  #titles = 0;

  constructor(random: Random) {
    this.#random = random;
  }

  know(taskIds: readonly string[]): void {
    this.#taskIds.splice(0, this.#taskIds.length, ...taskIds);
  }

  /** Calls of one moment. */
  wave(): Write[] {
    const random = this.#random;
    const turns = random.pick([1, 1, 4]);
    return Array.from({ length: random.between(1, 24) }, () => ({
      ...this.#request(),
      turn: random.below(turns),
      end: this.#end(),
    }));
  }

  #end(): Write['end'] {
    const random = this.#random;
    if (random.chance(0.85)) return undefined;
    return random.chance(0.5) ? { timeoutMs: random.between(1, 40) } : { turns: random.between(1, 60) };
  }

  #request(): WriteRequest & { actor: UserActor } {
    const random = this.#random;
    if (this.#keyed.length > 0 && random.chance(0.15)) return this.#repeat();
    const actor = random.pick(writers);
    const requestId = random.chance(0.6) ? `key-${(this.#titles += 1)}` : '';
    const made = { ...this.#make(requestId), actor } as WriteRequest & { actor: UserActor };
    if (requestId !== '') this.#keyed.push(made);
    return made;
  }

  /** The same call again, or another one under its key. */
  #repeat(): WriteRequest & { actor: UserActor } {
    const earlier = this.#random.pick(this.#keyed.slice(-12));
    if (earlier.method !== 'CreateTask' || this.#random.chance(0.8)) return earlier;
    const task = { ...(earlier.request.task as Task), title: 'another' };
    return { ...earlier, request: { ...earlier.request, task } };
  }

  #make(requestId: string): WriteRequest {
    const random = this.#random;
    const kind = this.#taskIds.length === 0 ? 0 : random.next();
    // Few of them, so that calls meet.
    const taskId = this.#taskIds.length === 0 ? '' : random.pick(this.#taskIds.slice(-8));
    if (kind < 0.4) return { method: 'CreateTask', request: this.#creation(requestId) };
    if (kind < 0.8) return { method: 'UpdateTask', request: this.#update(taskId, requestId) };
    const change = { taskId, etag: this.#etag(), requestId };
    return kind < 0.9
      ? { method: 'DeleteTask', request: DeleteTaskRequest.fromPartial(change) }
      : { method: 'UndeleteTask', request: UndeleteTaskRequest.fromPartial(change) };
  }

  #creation(requestId: string): CreateTaskRequest {
    const random = this.#random;
    const task = {
      title: `task ${(this.#titles += 1)}`,
      priority: random.pick([TaskPriority.LOW, TaskPriority.HIGH]),
      externalId: random.chance(0.3) ? random.pick(externalIds) : '',
      assigneeId: this.#assignee(),
      due: this.#due(),
    };
    return CreateTaskRequest.fromPartial({ task, requestId });
  }

  #update(id: string, requestId: string): UpdateTaskRequest {
    const random = this.#random;
    const changes = random.pick([
      { title: `renamed ${(this.#titles += 1)}` },
      { status: random.pick([TaskStatus.PENDING, TaskStatus.IN_PROGRESS, TaskStatus.COMPLETED]) },
      { priority: random.pick([TaskPriority.LOW, TaskPriority.URGENT]) },
      { assigneeId: this.#assignee() },
    ]);
    const paths = Object.keys(changes).map((name) => (name === 'assigneeId' ? 'assignee_id' : name));
    return UpdateTaskRequest.fromPartial({
      task: { id, etag: this.#etag(), ...changes },
      updateMask: paths,
      requestId,
    });
  }

  #etag(): string {
    return this.#random.chance(0.6) ? '' : toEtag(BigInt(this.#random.between(1, 4)));
  }

  #assignee(): string {
    const random = this.#random;
    if (random.chance(0.5)) return '';
    return random.chance(0.9) ? random.pick(writers).userId : stranger;
  }

  #due(): Task['due'] {
    const random = this.#random;
    if (random.chance(0.5)) return undefined;
    return { $case: 'dueTime', value: new Date(Date.now() + (random.chance(0.5) ? 1 : -1) * 3_600_000) };
  }
}

/** Makes the calls of a wave and waits for all of their answers. */
export function carryOut(deps: WriteDeps, writes: readonly Write[], logger: Logger): Promise<WriteResult[]> {
  return Promise.all(
    writes.map(async (write, index) => {
      await afterTurns(write.turn);
      const [callId, traceParent] = [`call ${index} ${crypto.randomUUID()}`, newTraceParent()];
      return { write, callId, traceParent, outcome: await outcomeOf(deps, write, { callId, traceParent, logger }) };
    }),
  );
}

async function outcomeOf(
  deps: WriteDeps,
  write: Write,
  { callId, traceParent, logger }: { callId: string; traceParent: string; logger: Logger },
): Promise<WriteResult['outcome']> {
  const caller = new AbortController();
  const { end } = write;
  if (end !== undefined && 'turns' in end) void afterTurns(end.turns).then(() => caller.abort());
  const timeoutMs = end !== undefined && 'timeoutMs' in end ? end.timeoutMs : longMs;
  try {
    const options = { name: write.method, logger, timeoutMs, requestId: callId, traceParent, signal: caller.signal };
    return { response: await runInBackground(options, () => send(deps, write)) };
  } catch (error) {
    if (!(error instanceof AppError)) return { unexpected: error };
    return ['cancelled', 'deadline_exceeded'].includes(error.kind) ? { ended: true } : { refusal: error.reason };
  }
}

async function send(deps: WriteDeps, { actor, ...write }: Write): Promise<Uint8Array> {
  switch (write.method) {
    case 'CreateTask':
      return CreateTaskResponse.encode(await createTask(deps, actor, readCreateTask(write.request))).finish();
    case 'UpdateTask':
      return UpdateTaskResponse.encode(await updateTask(deps, actor, readUpdateTask(write.request))).finish();
    case 'DeleteTask':
      return DeleteTaskResponse.encode(await deleteTask(deps, actor, readWholeTaskChange(write.request))).finish();
    case 'UndeleteTask':
      return UndeleteTaskResponse.encode(await undeleteTask(deps, actor, readWholeTaskChange(write.request))).finish();
  }
}

async function afterTurns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn += 1) await new Promise(setImmediate);
}
