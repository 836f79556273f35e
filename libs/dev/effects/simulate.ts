import { createCallLog, type CallLog } from './calls.ts';
import type { AccountFact, DueFact, EventFact, Facts, HandOverFact, NotificationFact, TaskFact } from './facts.ts';
import { dueNotifications } from './judge-audience.ts';

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** One step of a simulated system. A step of a task that does not exist does nothing. */
export type Step =
  | { do: 'create'; owner: number; assignee: number | undefined; due: boolean; outcome: keyof typeof meanings }
  | { do: 'reschedule' | 'complete' | 'delete'; task: number; outcome: keyof typeof meanings }
  | { do: 'sweep' };

const meanings = {
  acknowledged: { outcome: 'acknowledged', applies: true },
  'lost answer': { outcome: 'unknown', applies: true },
  'never arrived': { outcome: 'unknown', applies: false },
  refused: { outcome: 'refused', applies: false },
} as const;

const people = ['ada', 'bob', 'cyd'];
const emailOf = (person: string): string => `${person}@example.com`;

/** A system without any fault: what its clients know, and what is stored. The data of the checkers' own tests. */
export function simulate(steps: readonly Step[]): { log: CallLog; facts: Facts } {
  const system = new System();
  people.forEach((person) => system.register(person));
  steps.forEach((step, index) => system.take(step, `call-${index}`));
  system.sweep();
  return { log: system.log, facts: system.facts() };
}

class System {
  readonly log = createCallLog();
  readonly #tasks: Mutable<TaskFact>[] = [];
  readonly #dues = new Map<string, Mutable<DueFact>>();
  readonly #events: EventFact[] = [];
  readonly #accounts: AccountFact[] = [];
  readonly #handOvers: HandOverFact[] = [];

  register(person: string): void {
    const requestId = `register-${person}`;
    this.#accounts.push({ id: person, email: emailOf(person), role: 'user', sessions: 2 });
    this.#handOvers.push({ requestId, what: 'received' });
    this.log.account({ requestId, email: emailOf(person), what: 'register', outcome: 'acknowledged' });
    this.log.account({ requestId: `login-${person}`, email: emailOf(person), what: 'login', outcome: 'acknowledged' });
  }

  take(step: Step, requestId: string): void {
    if (step.do === 'sweep') return this.sweep();
    const { outcome, applies } = meanings[step.outcome];
    if (step.do === 'create') {
      const ownerId = people[step.owner] as string;
      const title = `title of ${requestId}`;
      this.log.write({ requestId, userId: ownerId, creates: [title], changes: [], outcome });
      if (applies) this.#create(requestId, step.due, { ownerId, assigneeId: people[step.assignee ?? -1] ?? '', title });
    } else {
      const task = this.#tasks.filter(({ deleted }) => !deleted)[step.task];
      if (task === undefined) return;
      this.log.write({ requestId, userId: task.ownerId, creates: [], changes: [task.id], outcome });
      if (applies) this.#change(task, requestId, step.do);
    }
  }

  #create(requestId: string, due: boolean, names: Pick<TaskFact, 'ownerId' | 'assigneeId' | 'title'>): void {
    const task = {
      id: `task-${this.#tasks.length}`,
      ...names,
      status: 1,
      version: 1,
      dueVersion: due ? 1 : 0,
      isDue: due,
      hasDueTime: due,
      deleted: false,
    };
    this.#tasks.push(task);
    this.#write('CREATED', task, { requestId, before: undefined });
  }

  #change(task: Mutable<TaskFact>, requestId: string, how: 'reschedule' | 'complete' | 'delete'): void {
    const before = sideOf(task);
    task.version += 1;
    if (how === 'reschedule') Object.assign(task, { dueVersion: task.dueVersion + 1, hasDueTime: true, isDue: true });
    if (how === 'complete') task.status = 3;
    if (how === 'delete') task.deleted = true;
    this.#write(how === 'delete' ? 'DELETED' : 'UPDATED', task, { requestId, before });
  }

  #write(type: string, task: TaskFact, cause: Pick<EventFact, 'requestId' | 'before'>): void {
    const waits = task.hasDueTime && task.status < 3 && !task.deleted;
    const marked = this.#dues.get(task.id)?.dueVersion === task.dueVersion && this.#dues.get(task.id)?.marked === true;
    if (waits) this.#dues.set(task.id, { taskId: task.id, dueVersion: task.dueVersion, marked });
    else this.#dues.delete(task.id);
    this.#append(type, task, { ...cause, actor: task.ownerId });
  }

  #append(type: string, task: TaskFact, cause: Pick<EventFact, 'requestId' | 'before' | 'actor'>): void {
    const sequence = this.#events.filter(({ streamId }) => streamId === task.ownerId).length + 1;
    const audience = [...new Set([task.ownerId, task.assigneeId])].filter((id) => id !== '');
    const after = type === 'DELETED' ? undefined : sideOf(task);
    this.#events.push({
      id: String(this.#events.length + 1),
      streamId: task.ownerId,
      sequence,
      type,
      taskId: task.id,
      taskVersion: task.version,
      dueVersion: task.dueVersion,
      ...cause,
      after,
      audience,
    });
  }

  sweep(): void {
    for (const due of this.#dues.values()) {
      const task = this.#tasks.find(({ id }) => id === due.taskId);
      if (due.marked || task === undefined) continue;
      due.marked = true;
      this.#append('OVERDUE', task, { requestId: 'sweep', before: sideOf(task), actor: 'service:scheduler' });
    }
  }

  /** Everybody has a webhook, and everything was delivered at once. */
  facts(): Facts {
    const notifications = this.#events.flatMap((event) =>
      dueNotifications(event).map((key) => toNotification(event, key)),
    );
    const deliveries = notifications.flatMap(({ id }) => [
      { notificationId: id, channel: 'inbox', outcome: 'delivered' },
      { notificationId: id, channel: 'webhook', outcome: 'queued' },
    ]);
    const webhookDeliveries = notifications.map(({ id, recipientId }) => ({
      id: `to ${id}`,
      webhookId: `hook of ${recipientId}`,
      ownerId: recipientId,
      notificationId: id,
      messageId: `evt ${id}`,
      state: 'delivered',
      attempts: 1,
    }));
    const received = webhookDeliveries.map(({ ownerId, messageId }) => ({ ownerId, messageId, body: messageId }));
    const heads = people.filter(
      (person) => this.#events.some(({ streamId }) => streamId === person) || this.#countAssigned(person) > 0,
    );
    return {
      tasks: this.#tasks,
      dues: [...this.#dues.values()],
      events: this.#events,
      heads: heads.map((person) => ({
        streamId: person,
        lastSequence: this.#events.filter(({ streamId }) => streamId === person).length,
        owned: this.#tasks.filter(({ ownerId, deleted }) => ownerId === person && !deleted).length,
        assigned: this.#countAssigned(person),
      })),
      notifications,
      deliveries,
      webhookOwners: people,
      webhookDeliveries,
      received,
      accounts: this.#accounts,
      profileIds: people,
      outbox: 0,
      handOvers: this.#handOvers,
    };
  }

  #countAssigned(person: string): number {
    return this.#tasks.filter(
      ({ ownerId, assigneeId, deleted }) => assigneeId === person && ownerId !== person && !deleted,
    ).length;
  }
}

const statuses = ['', 'PENDING', 'IN_PROGRESS', 'COMPLETED', 'CANCELLED'];

function sideOf({ ownerId, assigneeId, title, status }: TaskFact): EventFact['before'] {
  return { ownerId, assigneeId, title, status: statuses[status] ?? '' };
}

function toNotification(event: EventFact, key: string): NotificationFact {
  const [recipientId = '', kind = ''] = key.split(' ');
  return {
    id: `${event.id} for ${recipientId}`,
    recipientId,
    eventId: event.id,
    kind: kind as NotificationFact['kind'],
    taskId: event.taskId,
    dueVersion: event.dueVersion,
    digestId: '',
    state: 'delivered',
    delivered: `at ${event.id}`,
  };
}
