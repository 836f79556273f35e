import type { Task, TaskEvent } from './gen/taskflow/tasks/v1/tasks_pb.js';

/** How far the numbers of the caller's own stream have been seen. */
export interface SeenSequence {
  streamId: string;
  last: bigint;
  /** Lower numbers that have not come yet, and since when they are missed. */
  missing: Map<bigint, number>;
}

/** Events that come the other way round do not jump over more numbers than this: what is left out is lost. */
const maxJump = 1000n;

/** Whoever sees a task of no project without another assignee owns it. */
const isOwn = ({ assigneeId, ownerId, projectId }: Task): boolean =>
  projectId === '' && (assigneeId === '' || assigneeId === ownerId);

/** The caller's own stream, which is the only one that they see all of; undefined when the event does not tell. */
function ownStream({ change, streamId }: TaskEvent): string | undefined {
  const tasks = [change?.before, change?.after].filter((task) => task !== undefined);
  return tasks.length > 0 && tasks.every(isOwn) ? streamId : undefined;
}

/**
 * Checks by the dense numbers of the caller's own stream that no event was missed. Two changes of one moment may come
 * the other way round, so a number counts as missed when it has not come after `lateMs`.
 */
export class SequenceCheck {
  readonly #lateMs: number;
  #seen: SeenSequence | undefined;

  constructor(lateMs: number, seen: SeenSequence | undefined) {
    this.#lateMs = lateMs;
    this.#seen = seen;
  }

  get seen(): SeenSequence | undefined {
    return this.#seen;
  }

  /** Forgets everything, before a new beginning. */
  reset(): void {
    this.#seen = undefined;
  }

  add(event: TaskEvent, removed: boolean): void {
    const own = this.#seen?.streamId ?? (removed ? undefined : ownStream(event));
    if (own === event.streamId) this.#count(event.sequence, own);
    // A task of the caller's that moves into a project leaves the own stream by an event that has a number in both.
    else if (own === event.otherStreamId) this.#count(event.otherSequence, own);
  }

  #count(sequence: bigint, streamId: string): void {
    const seen = (this.#seen ??= { streamId, last: sequence, missing: new Map() });
    seen.missing.delete(sequence);
    if (sequence <= seen.last) return;
    const isLost = sequence - seen.last > maxJump;
    const since = isLost ? -Infinity : performance.now();
    const first = isLost ? sequence - 1n : seen.last + 1n;
    for (let number = first; number < sequence; number += 1n) seen.missing.set(number, since);
    seen.last = sequence;
  }

  /** Numbers that will not come any more. */
  lost(): bigint[] {
    const now = performance.now();
    return [...(this.#seen?.missing ?? [])].flatMap(([number, since]) => (now - since > this.#lateMs ? [number] : []));
  }
}
