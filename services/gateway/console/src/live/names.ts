import type { ServiceClient } from '#client/index';
import type { Task, TasksService } from '#client/tasks';

const mostAtOnce = 200;

/** Lists and events leave out names of other people; one task of each person tells theirs. */
export class Names {
  readonly #client: ServiceClient<typeof TasksService>;
  readonly #onFound: () => void;
  readonly #known = new Map<string, string>();
  /** A task for each person that is asked for. */
  readonly #wanted = new Map<string, string>();
  /** Who has been asked for, so that somebody without a name is not asked for again and again. */
  readonly #asked = new Set<string>();
  #asking = false;

  constructor(client: ServiceClient<typeof TasksService>, onFound: () => void) {
    this.#client = client;
    this.#onFound = onFound;
  }

  /** The task with the names that are known. The others are asked for. */
  fill(task: Task): Task {
    const ownerName = this.#nameFor(task.ownerId, task.ownerName, task.id);
    const assigneeName = this.#nameFor(task.assigneeId, task.assigneeName, task.id);
    if (ownerName === task.ownerName && assigneeName === task.assigneeName) return task;
    return { ...task, ownerName, assigneeName };
  }

  #nameFor(personId: string, told: string, taskId: string): string {
    if (personId === '') return '';
    if (told !== '') {
      this.#known.set(personId, told);
      return told;
    }
    const known = this.#known.get(personId);
    if (known !== undefined) return known;
    if (!this.#asked.has(personId)) {
      this.#wanted.set(personId, taskId);
      this.#askSoon();
    }
    return '';
  }

  #askSoon(): void {
    if (this.#asking) return;
    this.#asking = true;
    queueMicrotask(() => {
      void this.#ask().finally(() => {
        this.#asking = false;
        if (this.#wanted.size > 0) this.#askSoon();
      });
    });
  }

  async #ask(): Promise<void> {
    const asked = [...this.#wanted].slice(0, mostAtOnce);
    for (const [personId] of asked) {
      this.#wanted.delete(personId);
      this.#asked.add(personId);
    }
    const taskIds = [...new Set(asked.map(([, taskId]) => taskId))];
    // Without an answer the people stay without names, until their tasks come again.
    const answer = await this.#client.batchGetTasks({ taskIds, allowPartial: true }).catch(() => undefined);
    const tasks = (answer?.results ?? []).flatMap(({ result }) => (result.case === 'task' ? [result.value] : []));
    for (const { ownerId, ownerName, assigneeId, assigneeName } of tasks) {
      if (ownerName !== '') this.#known.set(ownerId, ownerName);
      if (assigneeName !== '') this.#known.set(assigneeId, assigneeName);
    }
    this.#onFound();
  }
}
