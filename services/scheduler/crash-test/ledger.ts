import type { AcknowledgedTask } from './clients.ts';
import type { Effects, EffectsReader } from './effects.ts';

/** A due version that a client was told is kept, in the round in which that happened. */
interface Acknowledgement {
  round: number;
  task: AcknowledgedTask;
  version: number;
}

/** What was acknowledged to clients, beside what came of it. */
export interface Ledger {
  acknowledge(round: number, task: AcknowledgedTask): void;
  /** A task that may be rescheduled, since everything about it has been delivered; taken out until the next acknowledgement. */
  takeSettled(pick: (tasks: AcknowledgedTask[]) => AcknowledgedTask): AcknowledgedTask | undefined;
  /** Rounds all of whose promises have been kept since the last look. */
  look(reader: EffectsReader): Promise<number[]>;
  /** Everything at the end. */
  audit(reader: EffectsReader): Promise<Audit>;
}

export interface Audit {
  acknowledged: number;
  /** Due versions that were acknowledged and of which nobody heard. */
  lost: number;
  /** Second events, notifications or deliveries of a due version. */
  duplicated: number;
  /** Of each round. */
  rounds: Map<number, { acknowledged: number; lost: number; duplicated: number }>;
}

export function createLedger(): Ledger {
  const promises: Acknowledgement[] = [];
  const versions = new Map<string, number>();
  const open = new Map<number, Set<Acknowledgement>>();
  const settled = new Map<string, AcknowledgedTask>();

  return {
    acknowledge: (round, task) => {
      const version = (versions.get(task.id) ?? 0) + 1;
      versions.set(task.id, version);
      const made = { round, task, version };
      promises.push(made);
      open.set(round, (open.get(round) ?? new Set()).add(made));
    },
    takeSettled: (pick) => {
      if (settled.size === 0) return undefined;
      const task = pick([...settled.values()]);
      settled.delete(task.id);
      return task;
    },
    look: async (reader) => {
      const waiting = [...open.values()].flatMap((made) => [...made]);
      const effects = await reader.of([...new Set(waiting.map(({ task }) => task.id))]);
      for (const made of waiting) {
        if (!effects.get(made.task.id)?.delivered.has(made.version)) continue;
        open.get(made.round)?.delete(made);
        settled.set(made.task.id, made.task);
      }
      const kept = [...open].filter(([, made]) => made.size === 0).map(([round]) => round);
      for (const round of kept) open.delete(round);
      return kept;
    },
    audit: async (reader) => {
      const effects = await reader.of([...versions.keys()]);
      const audit: Audit = { acknowledged: promises.length, lost: 0, duplicated: 0, rounds: new Map() };
      for (const made of promises) count(audit, made, effects.get(made.task.id));
      for (const [id, last] of versions) audit.duplicated += surplus(effects.get(id), last);
      return audit;
    },
  };
}

function count(audit: Audit, { round, version }: Acknowledgement, effects: Effects | undefined): void {
  const deliveries = effects?.delivered.get(version) ?? 0;
  const row = audit.rounds.get(round) ?? { acknowledged: 0, lost: 0, duplicated: 0 };
  audit.rounds.set(round, row);
  row.acknowledged += 1;
  if (deliveries === 0) row.lost += 1;
  row.duplicated += Math.max(0, deliveries - 1);
  audit.lost += deliveries === 0 ? 1 : 0;
  audit.duplicated += Math.max(0, deliveries - 1);
}

/** Events and recorded deliveries beyond one for each due version, and notifications of versions that nobody made. */
function surplus(effects: Effects | undefined, versions: number): number {
  if (effects === undefined) return 0;
  const unknown = [...effects.delivered.keys()].filter((version) => version > versions).length;
  return Math.max(0, effects.events - versions) + Math.max(0, effects.deliveries - versions) + unknown;
}
