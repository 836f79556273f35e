import { TaskPriority, TaskStatus } from '#contract/tasks/v1/tasks';
import { initialDraft, type TaskDraft } from '../../src/domain/task.columns.ts';
import { Task } from '../../src/domain/task.entity.ts';
import { heavyCount, type People } from './people.ts';

export const days = 24 * 3_600_000;
/** Tasks were created within this time, whatever their number. */
export const createdWithinMs = 60 * days;

export const words = {
  /** In two of five titles. */
  common: 'report',
  /** In twenty tasks of everybody who owns many, whatever the number of tasks. */
  rare: 'zeppelin',
};

/** In every twelfth task or so. */
export const labels = 'home work urgent-ish errand phone waiting someday garden reading team'.split(' ');

/** One share in a hundred of the tasks goes to … */
const sharesOfHeavy = 4;
/** The tasks among which the rare word is. */
const tasksWithRareWords = 10_000;

const nouns =
  'plan invoice garden meeting ticket server letter budget contract kitchen paper journey release review'.split(' ');
const verbs = 'write check water call prepare send fix read order clean compare update'.split(' ');

/** Numbers between 0 and 1 that are the same in every run. */
function chances(seed: number): () => number {
  let state = (seed * 2_654_435_761) >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

function pick<T>(chance: number, choices: readonly (readonly [number, T])[]): T {
  let sum = 0;
  const found = choices.find(([share]) => (sum += share) > chance) ?? choices[choices.length - 1];
  return (found as readonly [number, T])[1];
}

const one = <T>(chance: number, all: readonly T[]): T => all[Math.floor(chance * all.length)] as T;

/** Whose task the one of this number is: eight people own 4 % each, the others share the rest. */
function ownerOf(index: number, { ids }: People): { ownerId: string; heavyOrdinal: number | undefined } {
  const place = index % 100;
  const heavyPlaces = heavyCount * sharesOfHeavy;
  if (place < heavyPlaces) {
    const heavyOrdinal = Math.floor(index / 100) * sharesOfHeavy + (place % sharesOfHeavy);
    return { ownerId: ids[Math.floor(place / sharesOfHeavy)] ?? '', heavyOrdinal };
  }
  const others = ids.length - heavyCount;
  const turn = Math.floor(index / 100) * (100 - heavyPlaces) + place - heavyPlaces;
  return { ownerId: ids[heavyCount + (turn % others)] ?? '', heavyOrdinal: undefined };
}

function titleOf(chance: () => number, isRare: boolean): string {
  const parts = [
    one(chance(), verbs),
    'the',
    one(chance(), nouns),
    one(chance(), nouns),
    String(Math.floor(chance() * 5000)),
  ];
  if (chance() < 0.4) parts.push(words.common);
  if (isRare) parts.push(words.rare);
  return parts.join(' ');
}

function descriptionOf(chance: () => number): string {
  if (chance() < 0.5) return '';
  return Array.from({ length: 5 + Math.floor(chance() * 20) }, () =>
    one(chance(), chance() < 0.5 ? nouns : verbs),
  ).join(' ');
}

/** Half of the due times have passed. */
function dueOf(chance: () => number, now: Date): Pick<TaskDraft, 'dueTime' | 'dueDay'> {
  const kind = chance();
  const dueTime = new Date(now.getTime() + (chance() - 0.5) * createdWithinMs);
  if (kind < 0.4) return { dueTime: null, dueDay: null };
  if (kind < 0.95) return { dueTime, dueDay: null };
  return { dueTime: null, dueDay: { date: dueTime.toISOString().slice(0, 10), zone: 'Europe/Berlin' } };
}

const teamSize = 10;

/** One's own team, as in life; so names of others are asked for again and again. */
function assigneeOf(chance: () => number, ownerId: string, { ids, placeOf }: People): string | null {
  const kind = chance();
  const team = Math.floor((placeOf.get(ownerId) ?? 0) / teamSize) * teamSize;
  const other = one(chance(), ids.slice(team, team + teamSize));
  if (kind < 0.15) return other;
  return kind < 0.3 ? ownerId : null;
}

/** The task of this number, as its creation at that time would have made it. */
export function makeTask(
  index: number,
  people: People,
  { now, createTime, id }: { now: Date; createTime: Date; id: string },
): Task {
  const chance = chances(index + 1);
  const { ownerId, heavyOrdinal } = ownerOf(index, people);
  const isRare = heavyOrdinal !== undefined && index < tasksWithRareWords && heavyOrdinal % 20 === 0;
  const draft: TaskDraft = {
    ...initialDraft,
    title: titleOf(chance, isRare),
    description: descriptionOf(chance),
    status: pick(chance(), [
      [0.45, TaskStatus.PENDING],
      [0.2, TaskStatus.IN_PROGRESS],
      [0.25, TaskStatus.COMPLETED],
      [0.1, TaskStatus.CANCELLED],
    ]),
    priority: pick(chance(), [
      [0.3, TaskPriority.LOW],
      [0.4, TaskPriority.MEDIUM],
      [0.2, TaskPriority.HIGH],
      [0.1, TaskPriority.URGENT],
    ]),
    ...dueOf(chance, now),
    assigneeId: assigneeOf(chance, ownerId, people),
    labels: labels.filter(() => chance() < 0.12).sort(),
  };
  return Task.create(draft, { id, ownerId, now: createTime });
}
