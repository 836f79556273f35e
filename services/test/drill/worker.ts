import { setTimeout as pause } from 'node:timers/promises';
import { Task, TaskStatus, type BatchCreateTasksResponse, type CreateTaskResponse, type UpdateTaskRequest } from '#contract/tasks/v1/tasks';
import { CallError } from '#libs/grpc';
import { attemptMs, refresh, register, type Account } from './account.ts';
import { GivenUp, type Caller } from './caller.ts';
import type { Ledger } from './ledger.ts';
import type { Random } from './random.ts';
import type { Stage } from './stage.ts';
import { differences, toKnown, toTask, type OwnTask } from './task-state.ts';

export interface WorkerOptions {
  number: number;
  /** Part of every title and request id, so that rounds on one cluster do not meet. */
  round: string;
  stage: Stage;
  random: Random;
  caller: Caller;
  ledger: Ledger;
  account: Account;
  /** Ids of all people, to assign tasks to. */
  people: readonly string[];
}

type Step = (worker: Worker) => Promise<void>;

/** What a client does, and how often of a hundred times. */
const steps: readonly (readonly [weight: number, step: Step])[] = [
  [24, async (worker) => worker.create()],
  [4, async (worker) => worker.createBatch()],
  [18, async (worker) => worker.edit()],
  [6, async (worker) => worker.reschedule()],
  [8, async (worker) => worker.advance()],
  [6, async (worker) => worker.remove()],
  [3, async (worker) => worker.bringBack()],
  [14, async (worker) => worker.read()],
  [3, async (worker) => worker.count()],
  [5, async (worker) => worker.hurry()],
  [3, async (worker) => worker.sendTwins()],
  [3, async (worker) => worker.breakARule()],
  [2, async (worker) => worker.refresh()],
  [1, async (worker) => worker.registerAnother()],
];
const totalWeight = steps.reduce((sum, [weight]) => sum + weight, 0);

function chooseStep(random: Random): Step {
  let left = random.below(totalWeight);
  for (const [weight, step] of steps) {
    if (left < weight) return step;
    left -= weight;
  }
  throw new Error('the weights do not add up');
}

// Tokens live for ten minutes.
const refreshAfterMs = 240_000;
const longestThoughtMs = 30;

/** A client with an account of its own that makes one step after the other and writes down what was acknowledged. */
export class Worker {
  readonly #options: WorkerOptions;
  readonly #tasks: OwnTask[] = [];
  readonly #deleted: OwnTask[] = [];
  #count = 0;
  /** When the last write that was acknowledged had been begun; 0 before the first. */
  lastWriteBegan = 0;

  constructor(options: WorkerOptions) {
    this.#options = options;
  }

  get account(): Account {
    return this.#options.account;
  }

  /** Until told to stop; the step that was begun is ended. */
  async work(signal: AbortSignal): Promise<void> {
    const { random, caller } = this.#options;
    while (!signal.aborted) {
      const step = Date.now() - this.account.tokenSince > refreshAfterMs ? async () => this.refresh() : chooseStep(random);
      try {
        await step(this);
      } catch (error) {
        if (!(error instanceof GivenUp)) caller.violate(1, `a step failed: ${error instanceof CallError ? `${error.message} ${error.reason ?? ''}` : String((error as Error).stack)}`);
        if (error instanceof GivenUp && signal.aborted) return;
      }
      await pause(random.below(longestThoughtMs));
    }
  }

  #as(): { token: string; timeoutMs: number } {
    return { token: this.account.token, timeoutMs: attemptMs };
  }

  #name(what: string): string {
    this.#count += 1;
    return `${what}-${this.#options.round}-${this.#options.number}-${this.#count}`;
  }

  /** In the past, and never the same twice. */
  #pastDue(): Date {
    this.#count += 1;
    return new Date(Date.now() - 3_600_000 - this.#count * 1000);
  }

  #draft(): Task {
    const { random, people } = this.#options;
    return Task.fromPartial({
      title: this.#name('task'),
      description: `ünïcödé 任务 ${random.below(1000)}`,
      status: TaskStatus.PENDING,
      assigneeId: random.chance(0.2) ? random.pick(people) : '',
      dueTime: random.chance(0.3) ? this.#pastDue() : undefined,
    });
  }

  async #acknowledge(task: Task | undefined, requestId: string, expected: Task): Promise<OwnTask> {
    const { ledger, caller, number } = this.#options;
    if (task === undefined) throw new Error(`the answer to ${requestId} has no task`);
    const known = toKnown(task);
    const wrong = differences(known, toKnown(expected));
    if (wrong !== '') caller.violate(1, `${requestId} was answered with something else: ${wrong}`);
    await ledger.write({ what: 'acknowledged', worker: number, userId: this.account.userId, taskId: task.id, requestId, known });
    return { id: task.id, known };
  }

  async #write<T>(method: string, call: () => Promise<T>): Promise<T> {
    let began = 0;
    const answer = await this.#options.caller.persist(method, () => {
      began = Date.now();
      return call();
    });
    this.lastWriteBegan = began;
    return answer;
  }

  #sendCreate(task: Task, requestId: string, timeoutMs = attemptMs): Promise<CreateTaskResponse> {
    return this.#options.stage.clients.tasks.createTask({ task, requestId }, { token: this.account.token, timeoutMs });
  }

  async create(): Promise<void> {
    const draft = this.#draft();
    const requestId = draft.title;
    const { task } = await this.#write('CreateTask', () => this.#sendCreate(draft, requestId));
    this.#tasks.push(await this.#acknowledge(task, requestId, draft));
  }

  async createBatch(): Promise<void> {
    const tasks = Array.from({ length: 2 + this.#options.random.below(6) }, () => this.#draft());
    const requestId = this.#name('batch');
    const send = (): Promise<BatchCreateTasksResponse> => this.#options.stage.clients.tasks.batchCreateTasks({ tasks, requestId }, this.#as());
    const { results } = await this.#write('BatchCreateTasks', send);
    for (const [index, draft] of tasks.entries()) this.#tasks.push(await this.#acknowledge(results[index]?.task, requestId, draft));
  }

  async #update(own: OwnTask, fields: Partial<Task>, updateMask: string[]): Promise<void> {
    const requestId = this.#name('update');
    const request: UpdateTaskRequest = { task: Task.fromPartial({ id: own.id, ...fields }), updateMask, requestId, validateOnly: false };
    const { task } = await this.#write('UpdateTask', () => this.#options.stage.clients.tasks.updateTask(request, this.#as()));
    own.known = (await this.#acknowledge(task, requestId, { ...toTask(own.known), ...fields })).known;
  }

  async #withAny(change: (own: OwnTask) => Promise<void>): Promise<void> {
    const { random } = this.#options;
    await (this.#tasks.length === 0 ? this.create() : change(random.pick(this.#tasks)));
  }

  #edit(own: OwnTask): Promise<void> {
    return this.#update(own, { title: this.#name('edited'), description: this.#name('because') }, ['title', 'description']);
  }

  edit(): Promise<void> {
    return this.#withAny((own) => this.#edit(own));
  }

  reschedule(): Promise<void> {
    return this.#withAny((own) => this.#update(own, { dueTime: this.#pastDue() }, ['due_time']));
  }

  advance(): Promise<void> {
    const status = this.#options.random.chance(0.5) ? TaskStatus.IN_PROGRESS : TaskStatus.COMPLETED;
    // From completed there is no way but back, and a change that changes nothing proves nothing.
    return this.#withAny((own) => (own.known.status === TaskStatus.COMPLETED || own.known.status === status ? this.#edit(own) : this.#update(own, { status }, ['status'])));
  }

  async remove(): Promise<void> {
    if (this.#tasks.length === 0) return;
    const own = this.#options.random.pick(this.#tasks);
    const requestId = this.#name('delete');
    await this.#write('DeleteTask', () => this.#options.stage.clients.tasks.deleteTask({ taskId: own.id, requestId }, this.#as()));
    own.known = { ...own.known, deleted: true };
    const { userId } = this.account;
    await this.#options.ledger.write({ what: 'acknowledged', worker: this.#options.number, userId, taskId: own.id, requestId, known: own.known });
    this.#tasks.splice(this.#tasks.indexOf(own), 1);
    this.#deleted.push(own);
  }

  async bringBack(): Promise<void> {
    const own = this.#deleted.pop();
    if (own === undefined) return this.create();
    const requestId = this.#name('undelete');
    const { task } = await this.#write('UndeleteTask', () => this.#options.stage.clients.tasks.undeleteTask({ taskId: own.id, requestId }, this.#as()));
    this.#tasks.push(await this.#acknowledge(task, requestId, toTask({ ...own.known, deleted: false })));
  }

  /** What was acknowledged is what anybody reads from then on. */
  async read(): Promise<void> {
    if (this.#tasks.length === 0) return;
    const own = this.#options.random.pick(this.#tasks);
    const { task } = await this.#options.caller.persist('GetTask', () => this.#options.stage.clients.tasks.getTask({ taskId: own.id }, this.#as()));
    const wrong = task === undefined ? 'it is empty' : differences(toKnown(task), own.known);
    if (wrong !== '') this.#options.caller.violate(1, `task ${own.id} was read otherwise than it was acknowledged: ${wrong}`);
  }

  async count(): Promise<void> {
    const { stats } = await this.#options.caller.persist('GetTaskStats', () => this.#options.stage.clients.tasks.getTaskStats({}, this.#as()));
    const least = this.#tasks.length;
    if ((stats?.total ?? 0n) < BigInt(least)) this.#options.caller.violate(1, `${stats?.total} tasks were counted where at least ${least} are`);
  }

  /** A creation with too little time, or one that is given up: it is repeated, or nobody cares. */
  async hurry(): Promise<void> {
    const { random, caller, ledger, number } = this.#options;
    const draft = this.#draft();
    const requestId = draft.title;
    try {
      const { task } = await caller.once('CreateTask (hurried)', () => this.#sendCreate(draft, requestId, 2 + random.below(40)));
      this.#tasks.push(await this.#acknowledge(task, requestId, draft));
    } catch (error) {
      if (!(error instanceof CallError)) throw error;
      if (random.chance(0.5)) return void (await ledger.write({ what: 'abandoned', worker: number, userId: this.account.userId, title: draft.title }));
      const { task } = await this.#write('CreateTask', () => this.#sendCreate(draft, requestId));
      this.#tasks.push(await this.#acknowledge(task, requestId, draft));
    }
  }

  /** Two of the same at once, to whichever replicas. */
  async sendTwins(): Promise<void> {
    const draft = this.#draft();
    const send = (): Promise<CreateTaskResponse> => this.#write('CreateTask', () => this.#sendCreate(draft, draft.title));
    const [one, other] = await Promise.all([send(), send()]);
    if (one.task?.id !== other.task?.id) this.#options.caller.violate(1, `the request id ${draft.title} made the tasks ${one.task?.id} and ${other.task?.id}`);
    this.#tasks.push(await this.#acknowledge(one.task, draft.title, draft));
  }

  async breakARule(): Promise<void> {
    const { caller, ledger, number } = this.#options;
    const task = { ...this.#draft(), description: 'x'.repeat(20_000) };
    await ledger.write({ what: 'refused', worker: number, userId: this.account.userId, title: task.title });
    try {
      await caller.persist('CreateTask (wrong)', () => this.#sendCreate(task, task.title), ['invalid_argument']);
      caller.violate(12, `a description that is too long was taken (${task.title})`);
    } catch (error) {
      if (!(error instanceof CallError)) throw error;
    }
  }

  refresh(): Promise<void> {
    return refresh(this.#options.stage, this.#options.caller, this.account);
  }

  async registerAnother(): Promise<void> {
    const { stage, caller, ledger, number } = this.#options;
    const { userId, email, password } = await register(stage, caller);
    await ledger.write({ what: 'registered', worker: number, userId, email, password });
  }
}
