import {
  create,
  retry,
  TaskFlowError,
  timestampDate,
  timestampFromDate,
  type CallOptions,
  type MessageInitShape,
  type TaskFlow,
  type Timestamp,
} from '#client/index';
import { createTaskFlow } from '#client/node';
import { CreateTaskRequestSchema, TaskStatus, type CreateTaskRequest, type TaskSchema } from '#client/tasks';
import { NotificationChannel } from '#client/users';
import { clientOptions, serviceNames, type Cluster } from '#dev/cluster';
import { register, signIn, type Account, type AccountCalls } from '../effects/accounts.ts';
import { createCallLog, type Outcome } from '../effects/calls.ts';
import type { Random } from '../testing/src/random.ts';

const giveUpAfterMs = 90_000;
const attemptMs = 3_000;
/** Well before an access token expires. */
const signInEveryMs = 300_000;

export interface AcknowledgedTask {
  id: string;
  owner: number;
}

const minutesAgo = (minutes: number): Timestamp => timestampFromDate(new Date(Date.now() - minutes * 60_000));

const patiently = <T>(call: () => Promise<T>): Promise<T> => retry(call, { forMs: giveUpAfterMs });

/** Clients who repeat their requests until they are acknowledged, and some who do not. Every call is on record in `log`. */
export class Clients {
  readonly log = createCallLog();
  readonly #taskflow: TaskFlow;
  readonly #accounts: AccountCalls;
  readonly #random: Random;
  readonly #people: Account[] = [];
  /** Of tasks that have one. */
  readonly #assignees = new Map<string, string>();
  readonly #begun = new Set<string>();
  #repeated = 0;
  #count = 0;

  private constructor(cluster: Cluster, random: Random) {
    const hosts = Object.fromEntries(serviceNames.map((service) => [service, cluster.address(service)]));
    this.#taskflow = createTaskFlow(clientOptions(hosts, cluster.certificates));
    const { auth } = this.#taskflow;
    this.#accounts = {
      auth: {
        login: (request, { timeoutMs, requestId }) => auth.login(request, { timeoutMs, callId: requestId }),
        register: (request, { timeoutMs, requestId }) => auth.register(request, { timeoutMs, callId: requestId }),
      },
      calls: this.log,
      timeoutMs: attemptMs,
      persist: (_method, call) => patiently(call),
    };
    this.#random = random;
  }

  static async open(cluster: Cluster, count: number, random: Random): Promise<Clients> {
    const clients = new Clients(cluster, random);
    await clients.#admit(count);
    return clients;
  }

  get userIds(): readonly string[] {
    return this.#people.map(({ userId }) => userId);
  }

  async #admit(count: number): Promise<void> {
    this.#people.push(...(await Promise.all(Array.from({ length: count }, () => register(this.#accounts)))));
    // Tasks can be assigned to whom users knows.
    for (const [person] of this.#people.entries())
      await retry(async () => this.#taskflow.users.getMe({}, await this.#as(person)));
  }

  #newName(what: string): string {
    this.#count += 1;
    return `${what}-${this.#count}`;
  }

  /** `callId`: of a write, whose events carry it. */
  async #as(owner: number, callId?: string): Promise<CallOptions> {
    const person = this.#people[owner] as Account;
    if (Date.now() - person.tokenSince > signInEveryMs) Object.assign(person, await signIn(this.#accounts, person));
    const headers = { authorization: `Bearer ${person.token}` };
    return { headers, timeoutMs: attemptMs, ...(callId !== undefined && { callId }) };
  }

  async registerAnother(): Promise<void> {
    await register(this.#accounts);
  }

  #draft(owner: number, assigned = this.#random.chance(0.3)): CreateTaskRequest {
    const title = this.#newName('task');
    const other = (owner + this.#random.between(1, this.#people.length - 1)) % this.#people.length;
    const assigneeId = assigned ? (this.#people[other]?.userId ?? '') : '';
    const task = { title, due: { case: 'dueTime' as const, value: minutesAgo(60) }, assigneeId };
    return create(CreateTaskRequestSchema, { task, requestId: title });
  }

  #record(owner: number, requestId: string, write: { creates?: string[]; changes?: string[]; outcome: Outcome }): void {
    this.log.write({ requestId, userId: this.#people[owner]?.userId ?? '', creates: [], changes: [], ...write });
  }

  /** Repeats it with the same ids until it is answered. */
  async #persist<T>(owner: number, requestId: string, call: (options: CallOptions) => Promise<T>): Promise<T> {
    return patiently(async () => call(await this.#as(owner, requestId)));
  }

  /** Resolves when the task is acknowledged; it is overdue from the beginning. `twin`: sent twice at once. `assigned`: to another. */
  async createTask({ twin = false, assigned }: { twin?: boolean; assigned?: boolean } = {}): Promise<AcknowledgedTask> {
    const owner = this.#random.between(0, this.#people.length - 1);
    const request = this.#draft(owner, assigned);
    let begunAt = 0;
    const send = () =>
      this.#persist(owner, request.requestId, (options) => {
        begunAt = Date.now();
        return this.#taskflow.tasks.createTask(request, options);
      });
    const [{ task }] = await Promise.all([send(), ...(twin ? [send()] : [])]);
    this.#record(owner, request.requestId, { creates: [request.requestId], outcome: 'acknowledged' });
    if (task === undefined) throw new Error(`the answer to ${request.requestId} has no task`);
    const { id, createTime, assigneeId } = task;
    // A task older than the attempt that was acknowledged is the work of an earlier attempt.
    if (createTime !== undefined && timestampDate(createTime).getTime() < begunAt - 1) this.#repeated += 1;
    this.#assignees.set(id, assigneeId);
    return { id, owner };
  }

  async #update(
    { id, owner }: AcknowledgedTask,
    fields: MessageInitShape<typeof TaskSchema>,
    path: string,
  ): Promise<void> {
    const requestId = this.#newName('update');
    const request = { task: { ...fields, id }, updateMask: { paths: [path] }, requestId };
    await this.#persist(owner, requestId, (options) => this.#taskflow.tasks.updateTask(request, options));
    this.#record(owner, requestId, { changes: [id], outcome: 'acknowledged' });
  }

  /** Gives it another due time in the past: one more due version. */
  async reschedule(task: AcknowledgedTask): Promise<void> {
    await this.#update(task, { due: { case: 'dueTime', value: minutesAgo(30) } }, 'due_time');
  }

  /** Its owner begins it, or stops again. */
  async advance(task: AcknowledgedTask): Promise<void> {
    const isBegun = !this.#begun.delete(task.id);
    if (isBegun) this.#begun.add(task.id);
    await this.#update(task, { status: isBegun ? TaskStatus.IN_PROGRESS : TaskStatus.PENDING }, 'status');
  }

  /** A creation with too little time, which nobody repeats. */
  async hurry(): Promise<void> {
    const owner = this.#random.between(0, this.#people.length - 1);
    const request = this.#draft(owner);
    const report = (outcome: Outcome): void =>
      this.#record(owner, request.requestId, { creates: [request.requestId], outcome });
    try {
      const timeoutMs = this.#random.between(2, 40);
      await this.#taskflow.tasks.createTask(request, { ...(await this.#as(owner, request.requestId)), timeoutMs });
      report('acknowledged');
    } catch (error) {
      if (!(error instanceof TaskFlowError)) throw error;
      report('unknown');
    }
  }

  /** Creations that are refused, and one that is only tried. */
  async breakRules(): Promise<void> {
    const owner = this.#random.between(0, this.#people.length - 1);
    const [onlyTried, tooLong] = [this.#draft(owner), this.#draft(owner)];
    for (const { requestId } of [onlyTried, tooLong])
      this.#record(owner, requestId, { creates: [requestId], outcome: 'refused' });
    await this.#persist(owner, onlyTried.requestId, (options) =>
      this.#taskflow.tasks.createTask({ ...onlyTried, validateOnly: true }, options),
    );
    const task = { title: tooLong.requestId, description: 'x'.repeat(20_000) };
    await this.#persist(owner, tooLong.requestId, (options) =>
      this.#taskflow.tasks.createTask({ task, requestId: tooLong.requestId }, options),
    ).catch((error: unknown) => {
      if (!(error instanceof TaskFlowError) || error.code !== 'INVALID_ARGUMENT') throw error;
    });
  }

  /** Somebody asks for a task that is not theirs. */
  async peep({ id, owner }: AcknowledgedTask): Promise<void> {
    const stranger = this.#people.findIndex(
      ({ userId }, index) => index !== owner && userId !== this.#assignees.get(id),
    );
    const userId = this.#people[stranger]?.userId ?? '';
    const saw = (through: string): void => this.log.saw({ userId, taskId: id, through });
    const credentials = await patiently(() => this.#as(stranger));
    await this.#taskflow.tasks.getTask({ taskId: id }, credentials).then(
      () => saw('GetTask'),
      () => undefined,
    );
    const { results } = await this.#taskflow.tasks
      .batchGetTasks({ taskIds: [id] }, credentials)
      .catch(() => ({ results: [] }));
    if (results.some(({ result }) => result.case === 'task')) saw('BatchGetTasks');
  }

  /** Notifies a person by a webhook too. */
  async addWebhook(person: number, url: string): Promise<void> {
    const options = await this.#as(person);
    const channels = [NotificationChannel.INBOX, NotificationChannel.WEBHOOK];
    const user = { id: this.#people[person]?.userId ?? '', channels };
    await this.#taskflow.users.updateUser({ user, updateMask: { paths: ['channels'] } }, options);
    await this.#taskflow.notifications.createWebhook({ webhook: { url } }, options);
  }

  /** Acknowledgements of requests that an earlier call had carried out. What the package repeats by itself is one call. */
  repeated(): number {
    return this.#repeated;
  }

  close(): void {
    this.#taskflow.close();
  }
}
