import type { FactsReader } from '../effects/read-facts.ts';
import type { AcknowledgedTask } from './clients.ts';

/** An acknowledged due version, and the round in which it was acknowledged. */
interface Acknowledgement {
  round: number;
  task: AcknowledgedTask;
  version: number;
}

/** Which acknowledged due versions have been delivered by now: it measures the recovery. */
export interface Recorder {
  acknowledge(round: number, task: AcknowledgedTask): void;
  /** A task that may be rescheduled, since everything about it has been delivered; taken out until the next acknowledgement. */
  takeDelivered(pick: (tasks: AcknowledgedTask[]) => AcknowledgedTask): AcknowledgedTask | undefined;
  /** Rounds all of whose promises have been kept since the last look. */
  look(facts: Pick<FactsReader, 'query'>): Promise<number[]>;
  /** In the given rounds. */
  countAcknowledged(rounds: ReadonlySet<number>): number;
}

const deliveredText = `
  select distinct task_id || ' ' || due_version as key from notifications where kind = 1 and state = 'delivered' and task_id = any ($1::uuid[])`;

export function createRecorder(): Recorder {
  const promises: Acknowledgement[] = [];
  const versions = new Map<string, number>();
  const open = new Map<number, Set<Acknowledgement>>();
  const delivered = new Map<string, AcknowledgedTask>();

  return {
    acknowledge: (round, task) => {
      const version = (versions.get(task.id) ?? 0) + 1;
      versions.set(task.id, version);
      const made = { round, task, version };
      promises.push(made);
      open.set(round, (open.get(round) ?? new Set()).add(made));
    },
    takeDelivered: (pick) => {
      if (delivered.size === 0) return undefined;
      const task = pick([...delivered.values()]);
      delivered.delete(task.id);
      return task;
    },
    look: async (facts) => {
      const waiting = [...open.values()].flatMap((made) => [...made]);
      const rows = await facts.query<{ key: string }>('scheduler', deliveredText, [
        [...new Set(waiting.map(({ task }) => task.id))],
      ]);
      const arrived = new Set(rows.map(({ key }) => key));
      for (const made of waiting) {
        if (!arrived.has(`${made.task.id} ${made.version}`)) continue;
        open.get(made.round)?.delete(made);
        delivered.set(made.task.id, made.task);
      }
      const kept = [...open].filter(([, made]) => made.size === 0).map(([round]) => round);
      for (const round of kept) open.delete(round);
      return kept;
    },
    countAcknowledged: (rounds) => promises.filter(({ round }) => rounds.has(round)).length,
  };
}
