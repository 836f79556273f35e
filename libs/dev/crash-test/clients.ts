import { Webhook } from '#contract/scheduler/v1/notifications';
import { CreateTaskRequest, Task, TaskStatus } from '#contract/tasks/v1/tasks';
import { NotificationChannel, User } from '#contract/users/v1/users';
import type { Cluster } from '#dev/cluster';
import { CallError, retry, type PublicCallOptions } from '#libs/grpc';
import { register, signIn, type Account, type AccountCalls } from '../effects/accounts.ts';
import { createCallLog, type Outcome } from '../effects/calls.ts';
import { openClients, type ClusterClients } from '../testing/src/cluster-clients.ts';
import type { Random } from '../testing/src/random.ts';

const giveUpAfterMs = 90_000;
const attemptMs = 3_000;
/** Well before an access token expires. */
const signInEveryMs = 300_000;

export interface AcknowledgedTask {
  id: string;
  owner: number;
}

const minutesAgo = (minutes: number): Date => new Date(Date.now() - minutes * 60_000);

/** Clients who repeat their requests until they are acknowledged, and some who do not. Every call is on record in `log`. */
export class Clients {
  readonly log = createCallLog();
  readonly #clients: ClusterClients;
  readonly #accounts: AccountCalls;
  readonly #random: Random;
  readonly #people: Account[] = [];
  /** Of tasks that have one. */
  readonly #assignees = new Map<string, string>();
  readonly #begun = new Set<string>();
  #repeated = 0;
  #count = 0;

  private constructor(cluster: Cluster, random: Random) {
    this.#clients = openClients(cluster, { resend: true });
    this.#accounts = {
      auth: this.#clients.auth,
      calls: this.log,
      timeoutMs: attemptMs,
      persist: (_method, call) => retry(call, giveUpAfterMs),
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
    for (const { token } of this.#people) await retry(() => this.#clients.users.getMe({}, { token }));
  }

  #newName(what: string): string {
    this.#count += 1;
    return `${what}-${this.#count}`;
  }

  async #as(owner: number): Promise<{ token: string; timeoutMs: number }> {
    const person = this.#people[owner] as Account;
    if (Date.now() - person.tokenSince > signInEveryMs) Object.assign(person, await signIn(this.#accounts, person));
    return { token: person.token, timeoutMs: attemptMs };
  }

  async registerAnother(): Promise<void> {
    await register(this.#accounts);
  }

  #draft(owner: number, assigned = this.#random.chance(0.3)): CreateTaskRequest {
    const title = this.#newName('task');
    const other = (owner + this.#random.between(1, this.#people.length - 1)) % this.#people.length;
    const task = Task.fromPartial({
      title,
      due: { $case: 'dueTime', value: minutesAgo(60) },
      assigneeId: assigned ? (this.#people[other]?.userId ?? '') : '',
    });
    return CreateTaskRequest.fromPartial({ task, requestId: title });
  }

  #record(owner: number, requestId: string, write: { creates?: string[]; changes?: string[]; outcome: Outcome }): void {
    this.log.write({ requestId, userId: this.#people[owner]?.userId ?? '', creates: [], changes: [], ...write });
  }

  /** Repeats it with the same ids until it is answered. */
  async #persist<T>(owner: number, requestId: string, call: (options: PublicCallOptions) => Promise<T>): Promise<T> {
    return retry(async () => call({ ...(await this.#as(owner)), requestId }), giveUpAfterMs);
  }

  /** Resolves when the task is acknowledged; it is overdue from the beginning. `twin`: sent twice at once. `assigned`: to another. */
  async createTask({ twin = false, assigned }: { twin?: boolean; assigned?: boolean } = {}): Promise<AcknowledgedTask> {
    const owner = this.#random.between(0, this.#people.length - 1);
    const request = this.#draft(owner, assigned);
    let begunAt = 0;
    const send = () =>
      this.#persist(owner, request.requestId, (options) => {
        begunAt = Date.now();
        return this.#clients.tasks.createTask(request, options);
      });
    const [{ task }] = await Promise.all([send(), ...(twin ? [send()] : [])]);
    this.#record(owner, request.requestId, { creates: [request.requestId], outcome: 'acknowledged' });
    const { id, createTime, assigneeId } = task as Task;
    // A task older than the attempt that was acknowledged is the work of an earlier attempt.
    if (createTime !== undefined && createTime.getTime() < begunAt - 1) this.#repeated += 1;
    this.#assignees.set(id, assigneeId);
    return { id, owner };
  }

  async #update({ id, owner }: AcknowledgedTask, fields: Partial<Task>, path: string): Promise<void> {
    const requestId = this.#newName('update');
    const request = { task: Task.fromPartial({ id, ...fields }), updateMask: [path], requestId };
    await this.#persist(owner, requestId, (options) => this.#clients.tasks.updateTask(request, options));
    this.#record(owner, requestId, { changes: [id], outcome: 'acknowledged' });
  }

  /** Gives it another due time in the past: one more due version. */
  async reschedule(task: AcknowledgedTask): Promise<void> {
    await this.#update(task, { due: { $case: 'dueTime', value: minutesAgo(30) } }, 'due_time');
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
      await this.#clients.tasks.createTask(request, {
        ...(await this.#as(owner)),
        timeoutMs,
        requestId: request.requestId,
      });
      report('acknowledged');
    } catch (error) {
      if (!(error instanceof CallError)) throw error;
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
      this.#clients.tasks.createTask({ ...onlyTried, validateOnly: true }, options),
    );
    const task = Task.fromPartial({ ...tooLong.task, description: 'x'.repeat(20_000) });
    await this.#persist(owner, tooLong.requestId, (options) =>
      this.#clients.tasks.createTask({ ...tooLong, task }, options),
    ).catch((error: unknown) => {
      if (!(error instanceof CallError) || error.kind !== 'invalid_argument') throw error;
    });
  }

  /** Somebody asks for a task that is not theirs. */
  async peep({ id, owner }: AcknowledgedTask): Promise<void> {
    const stranger = this.#people.findIndex(
      ({ userId }, index) => index !== owner && userId !== this.#assignees.get(id),
    );
    const userId = this.#people[stranger]?.userId ?? '';
    const saw = (through: string): void => this.log.saw({ userId, taskId: id, through });
    const credentials = await retry(() => this.#as(stranger), giveUpAfterMs);
    await this.#clients.tasks.getTask({ taskId: id }, credentials).then(
      () => saw('GetTask'),
      () => undefined,
    );
    const { results } = await this.#clients.tasks
      .batchGetTasks({ taskIds: [id] }, credentials)
      .catch(() => ({ results: [] }));
    if (results.some(({ result }) => result?.$case === 'task')) saw('BatchGetTasks');
  }

  /** Notifies a person by a webhook too. */
  async addWebhook(person: number, url: string): Promise<void> {
    const options = await this.#as(person);
    const wish = User.fromPartial({
      id: this.#people[person]?.userId ?? '',
      channels: [NotificationChannel.INBOX, NotificationChannel.WEBHOOK],
    });
    await this.#clients.users.updateUser({ user: wish, updateMask: ['channels'] }, options);
    await this.#clients.notifications.createWebhook({ webhook: Webhook.fromPartial({ url }) }, options);
  }

  /** Acknowledgements of requests that had been carried out before, by the same request id. */
  repeated(): number {
    return this.#repeated;
  }

  close(): void {
    this.#clients.close();
  }
}
