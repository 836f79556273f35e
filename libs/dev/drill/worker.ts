import { setTimeout as pause } from 'node:timers/promises';
import { Task, TaskStatus, type CreateTaskResponse, CreateTaskRequest } from '#contract/tasks/v1/tasks';
import { CallError } from '#dev/stubs';
import type { Outcome } from '../effects/calls.ts';
import { register, type Account } from '../effects/accounts.ts';
import { accountCalls, refresh } from './account.ts';
import { attemptMs, GivenUp, type Caller } from './caller.ts';
import type { KnownTask, Recorder } from './recorder.ts';
import type { ClusterClients } from '../testing/src/cluster-clients.ts';
import type { Random } from '../testing/src/random.ts';
import type { DrillCluster } from './drill-cluster.ts';
import { differences, toKnown, toTask, type OwnTask } from './task-state.ts';

export interface WorkerOptions {
  number: number;
  /** Part of every title and request id, so that rounds on one cluster do not meet. */
  round: string;
  drillCluster: DrillCluster;
  random: Random;
  caller: Caller;
  recorder: Recorder;
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
  [3, async (worker) => worker.peep()],
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

const describe = (error: unknown): string =>
  error instanceof CallError ? `${error.message} ${error.reason ?? ''}` : String((error as Error).stack);

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

  get #client(): ClusterClients['tasks'] {
    return this.#options.drillCluster.clients.tasks;
  }

  /** Works until `stop`; finishes the step that it has begun. */
  async work(signal: AbortSignal): Promise<void> {
    const { random } = this.#options;
    while (!signal.aborted) {
      const step =
        Date.now() - this.account.tokenSince > refreshAfterMs ? async () => this.refresh() : chooseStep(random);
      try {
        await step(this);
      } catch (error) {
        if (!(error instanceof GivenUp)) this.#violate(1, `a step failed: ${describe(error)}`);
        else if (signal.aborted) return;
      }
      await pause(random.below(longestThoughtMs));
    }
  }

  /** `requestId`: of a write, whose events carry it. */
  #as(requestId?: string): { token: string; timeoutMs: number; requestId?: string } {
    return { token: this.account.token, timeoutMs: attemptMs, ...(requestId !== undefined && { requestId }) };
  }

  #record(
    requestId: string,
    write: { creates?: string[]; changes?: string[] },
    outcome: Outcome = 'acknowledged',
  ): void {
    const { userId } = this.account;
    this.#options.drillCluster.calls.write({ requestId, userId, creates: [], changes: [], ...write, outcome });
  }

  #remember(taskId: string, requestId: string, known: KnownTask): Promise<void> {
    const { recorder, number: worker } = this.#options;
    return recorder.write({ what: 'acknowledged', worker, userId: this.account.userId, taskId, requestId, known });
  }

  #violate(invariant: number, what: string): void {
    this.#options.caller.violate(invariant, what);
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
      ...(random.chance(0.3) && { due: { $case: 'dueTime' as const, value: this.#pastDue() } }),
    });
  }

  async #acknowledge(task: Task | undefined, requestId: string, expected: Task): Promise<OwnTask> {
    if (task === undefined) throw new Error(`the answer to ${requestId} has no task`);
    const known = toKnown(task);
    const wrong = differences(known, toKnown(expected));
    if (wrong !== '') this.#violate(1, `${requestId} was answered with something else: ${wrong}`);
    await this.#remember(task.id, requestId, known);
    this.#options.drillCluster.tasks.push({ id: task.id, ownerId: task.ownerId, assigneeId: task.assigneeId });
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
    return this.#client.createTask({ task, requestId }, { ...this.#as(requestId), timeoutMs });
  }

  async create(): Promise<void> {
    const draft = this.#draft();
    const { task } = await this.#write('CreateTask', () => this.#sendCreate(draft, draft.title));
    await this.#created(task, draft);
  }

  async #created(task: Task | undefined, draft: Task): Promise<void> {
    this.#record(draft.title, { creates: [draft.title] });
    this.#tasks.push(await this.#acknowledge(task, draft.title, draft));
  }

  async createBatch(): Promise<void> {
    const tasks = Array.from({ length: 2 + this.#options.random.below(6) }, () => this.#draft());
    const requestId = this.#name('batch');
    const requests = tasks.map((task) => CreateTaskRequest.fromPartial({ task }));
    const send = () => this.#client.batchCreateTasks({ requests, requestId }, this.#as(requestId));
    const { results } = await this.#write('BatchCreateTasks', send);
    this.#record(requestId, { creates: tasks.map(({ title }) => title) });
    for (const [index, draft] of tasks.entries()) {
      const result = results[index]?.result;
      const task = result?.$case === 'task' ? result.value : undefined;
      this.#tasks.push(await this.#acknowledge(task, requestId, draft));
    }
  }

  async #update(own: OwnTask, fields: Partial<Task>, updateMask: string[]): Promise<void> {
    const requestId = this.#name('update');
    const request = { task: Task.fromPartial({ id: own.id, ...fields }), updateMask, requestId };
    const { task } = await this.#write('UpdateTask', () => this.#client.updateTask(request, this.#as(requestId)));
    this.#record(requestId, { changes: [own.id] });
    own.known = (await this.#acknowledge(task, requestId, { ...toTask(own.known), ...fields })).known;
  }

  async #withAny(change: (own: OwnTask) => Promise<void>): Promise<void> {
    const { random } = this.#options;
    await (this.#tasks.length === 0 ? this.create() : change(random.pick(this.#tasks)));
  }

  #edit(own: OwnTask): Promise<void> {
    return this.#update(own, { title: this.#name('edited'), description: this.#name('because') }, [
      'title',
      'description',
    ]);
  }

  edit(): Promise<void> {
    return this.#withAny((own) => this.#edit(own));
  }

  reschedule(): Promise<void> {
    return this.#withAny((own) =>
      this.#update(own, { due: { $case: 'dueTime', value: this.#pastDue() } }, ['due_time']),
    );
  }

  advance(): Promise<void> {
    const status = this.#options.random.chance(0.5) ? TaskStatus.IN_PROGRESS : TaskStatus.COMPLETED;
    // From completed there is no way but back, and a change that changes nothing proves nothing.
    return this.#withAny((own) =>
      own.known.status === TaskStatus.COMPLETED || own.known.status === status
        ? this.#edit(own)
        : this.#update(own, { status }, ['status']),
    );
  }

  async remove(): Promise<void> {
    if (this.#tasks.length === 0) return;
    const own = this.#options.random.pick(this.#tasks);
    const requestId = this.#name('delete');
    await this.#write('DeleteTask', () => this.#client.deleteTask({ taskId: own.id, requestId }, this.#as(requestId)));
    this.#record(requestId, { changes: [own.id] });
    own.known = { ...own.known, deleted: true };
    await this.#remember(own.id, requestId, own.known);
    this.#tasks.splice(this.#tasks.indexOf(own), 1);
    this.#deleted.push(own);
  }

  async bringBack(): Promise<void> {
    const own = this.#deleted.pop();
    if (own === undefined) return this.create();
    const requestId = this.#name('undelete');
    const { task } = await this.#write('UndeleteTask', () =>
      this.#client.undeleteTask({ taskId: own.id, requestId }, this.#as(requestId)),
    );
    this.#record(requestId, { changes: [own.id] });
    this.#tasks.push(await this.#acknowledge(task, requestId, toTask({ ...own.known, deleted: false })));
  }

  /** What was acknowledged is what anybody reads from then on. */
  async read(): Promise<void> {
    if (this.#tasks.length === 0) return;
    const own = this.#options.random.pick(this.#tasks);
    const { task } = await this.#options.caller.persist('GetTask', () =>
      this.#client.getTask({ taskId: own.id }, this.#as()),
    );
    const wrong = task === undefined ? 'it is empty' : differences(toKnown(task), own.known);
    if (wrong !== '') this.#violate(1, `task ${own.id} was read otherwise than it was acknowledged: ${wrong}`);
  }

  async count(): Promise<void> {
    const { stats } = await this.#options.caller.persist('GetTaskStats', () =>
      this.#client.getTaskStats({}, this.#as()),
    );
    const least = this.#tasks.length;
    if ((stats?.totalCount ?? 0n) < BigInt(least))
      this.#violate(1, `${stats?.totalCount} tasks were counted where at least ${least} are`);
  }

  /** A creation with too little time, or one that is given up: it is repeated, or nobody cares. */
  async hurry(): Promise<void> {
    const { random, caller, recorder, number: worker } = this.#options;
    const draft = this.#draft();
    const { title: requestId } = draft;
    const timeoutMs = 2 + random.below(40);
    const send = () => this.#sendCreate(draft, requestId, timeoutMs);
    let task: Task | undefined;
    try {
      ({ task } = await caller.once('CreateTask (hurried)', send, timeoutMs));
    } catch (error) {
      if (!(error instanceof CallError)) throw error;
      if (random.chance(0.5)) {
        this.#record(requestId, { creates: [requestId] }, 'unknown');
        return recorder.write({ what: 'abandoned', worker, userId: this.account.userId, title: requestId });
      }
      ({ task } = await this.#write('CreateTask', () => this.#sendCreate(draft, requestId)));
    }
    await this.#created(task, draft);
  }

  /** Two of the same at once, to whichever replicas. */
  async sendTwins(): Promise<void> {
    const draft = this.#draft();
    const send = (): Promise<CreateTaskResponse> =>
      this.#write('CreateTask', () => this.#sendCreate(draft, draft.title));
    const [one, other] = await Promise.all([send(), send()]);
    if (one.task?.id !== other.task?.id)
      this.#violate(1, `the request id ${draft.title} made the tasks ${one.task?.id} and ${other.task?.id}`);
    await this.#created(one.task, draft);
  }

  async breakARule(): Promise<void> {
    const { caller, recorder, number } = this.#options;
    const task = { ...this.#draft(), description: 'x'.repeat(20_000) };
    await recorder.write({ what: 'refused', worker: number, userId: this.account.userId, title: task.title });
    this.#record(task.title, { creates: [task.title] }, 'refused');
    try {
      const send = () => this.#sendCreate(task, task.title);
      await caller.persist('CreateTask (wrong)', send, { wanted: ['invalid_argument'] });
      caller.violate(12, `a description that is too long was taken (${task.title})`);
    } catch (error) {
      if (!(error instanceof CallError)) throw error;
    }
  }

  /** Somebody else's task does not exist for those whom it does not concern. */
  async peep(): Promise<void> {
    const { random, caller, drillCluster } = this.#options;
    const { userId } = this.account;
    const others = drillCluster.tasks.filter(({ ownerId, assigneeId }) => ownerId !== userId && assigneeId !== userId);
    if (others.length === 0) return;
    const taskId = random.pick(others).id;
    try {
      const send = () => this.#client.getTask({ taskId }, this.#as());
      await caller.persist('GetTask (wrong)', send, { wanted: ['not_found'] });
      drillCluster.calls.saw({ userId, taskId, through: 'GetTask' });
    } catch (error) {
      if (!(error instanceof CallError)) throw error;
    }
  }

  refresh(): Promise<void> {
    return refresh(this.#options.drillCluster, this.#options.caller, this.account);
  }

  async registerAnother(): Promise<void> {
    const { drillCluster, caller, recorder, number } = this.#options;
    const { userId, email, password } = await register(accountCalls(drillCluster, caller));
    await recorder.write({ what: 'registered', worker: number, userId, email, password });
  }
}
