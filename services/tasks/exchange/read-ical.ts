import { createHash } from 'node:crypto';
import { TaskPriority, TaskStatus } from '#client/tasks';
import { createContentIds, idOfUid } from './file-ids.ts';
import {
  BrokenFile,
  fitTitle,
  readEntry,
  Unreadable,
  type FileEntry,
  type FileSource,
  type FileTask,
  type ReadOptions,
} from './file-task.ts';
import { walkCalendars, type Component, type Walk } from './ical-components.ts';
import { findOnce, readIcalDue, type DueContext } from './ical-due.ts';
import { readContentLines, readTexts } from './ical-lines.ts';
import { addZone, type ZoneBook } from './ical-zones.ts';

/** The TEXT of a property that may occur once; '' without it. */
function textOf(todo: Component, name: string): string {
  const line = findOnce(todo, name);
  if (line === undefined) return '';
  const encoding = line.params.get('ENCODING');
  if (encoding !== undefined)
    throw new Unreadable(`${name} is encoded as ${encoding}, as in vCalendar: only iCalendar is read`, line.line);
  return readTexts(line.value, '')[0] ?? '';
}

const statuses: Readonly<Record<string, TaskStatus>> = {
  'NEEDS-ACTION': TaskStatus.PENDING,
  'IN-PROCESS': TaskStatus.IN_PROGRESS,
  COMPLETED: TaskStatus.COMPLETED,
  CANCELLED: TaskStatus.CANCELLED,
};

function readStatus(todo: Component): TaskStatus {
  const told = textOf(todo, 'STATUS').trim().toUpperCase();
  if (told === '')
    return textOf(todo, 'COMPLETED') !== '' || textOf(todo, 'PERCENT-COMPLETE').trim() === '100'
      ? TaskStatus.COMPLETED
      : TaskStatus.PENDING;
  const status = statuses[told];
  if (status === undefined)
    throw new Unreadable(`STATUS "${told}" is not one of a task`, findOnce(todo, 'STATUS')?.line);
  return status;
}

/** 1 is the highest, 9 the lowest, 0 = none. */
function readPriority(todo: Component): TaskPriority {
  const told = textOf(todo, 'PRIORITY').trim();
  if (!/^[0-9]?$/.test(told))
    throw new Unreadable(`PRIORITY "${told}" is not a number from 0 to 9`, findOnce(todo, 'PRIORITY')?.line);
  const number = Number(told);
  if (number === 0 || number === 5) return TaskPriority.MEDIUM;
  if (number === 1) return TaskPriority.URGENT;
  return number < 5 ? TaskPriority.HIGH : TaskPriority.LOW;
}

function readTask(todo: Component, context: DueContext): FileTask {
  if (todo.fault !== undefined) throw new Unreadable(todo.fault.problem, todo.fault.line);
  if (findOnce(todo, 'RECURRENCE-ID') !== undefined)
    throw new Unreadable('is one occurrence of a repeating task: only the task itself is taken');
  const summary = textOf(todo, 'SUMMARY').trim();
  if (summary === '') throw new Unreadable('SUMMARY is empty');
  const labels = todo.properties
    .filter(({ name }) => name === 'CATEGORIES')
    .flatMap(({ value }) => readTexts(value, ','));
  return {
    ...fitTitle(summary, textOf(todo, 'DESCRIPTION')),
    status: readStatus(todo),
    priority: readPriority(todo),
    due: readIcalDue(todo, context),
    labels: [...new Set(labels.map((label) => label.trim()).filter((label) => label !== ''))],
  };
}

const repetitions = ['RRULE', 'RDATE'];
const propertiesOfTodo = new Set([
  ...'UID SUMMARY DESCRIPTION STATUS PRIORITY CATEGORIES COMPLETED PERCENT-COMPLETE DUE'.split(' '),
  ...'DTSTART DURATION RECURRENCE-ID'.split(' '),
  ...repetitions,
]);
const propertiesOfZone = new Set(['TZID', 'DTSTART', 'TZOFFSETFROM', 'TZOFFSETTO', 'RRULE', 'RDATE']);

/** Reads the zones first, because they may come after the tasks that name them. */
async function readZones(source: FileSource): Promise<ZoneBook[]> {
  const books: ZoneBook[] = [];
  const walk: Walk = { wanted: (name) => name === 'VTIMEZONE', kept: ({ name }) => propertiesOfZone.has(name) };
  for await (const event of walkCalendars(readContentLines(source), walk)) {
    const book = books.at(-1);
    if ('begin' in event) books.push({ described: new Map(), named: undefined });
    else if ('component' in event && book !== undefined) addZone(book, event.component);
    else if ('property' in event && event.property.name === 'X-WR-TIMEZONE' && book !== undefined)
      book.named ??= event.property.value.trim() || undefined;
  }
  return books;
}

/** Remarks on what a task is imported without. */
function remarksOf({ properties }: Component, uid: string): FileEntry[] {
  const repetition = properties.find(({ name }) => repetitions.includes(name));
  return repetition === undefined
    ? []
    : [
        {
          remark: {
            place: `:${repetition.line}: UID ${uid}`,
            problem: `is taken once, without its ${repetition.name}`,
          },
        },
      ];
}

/** A file that has only these is refused, instead of imported as an empty one. */
const otherThings = new Set(['VEVENT', 'VJOURNAL']);

/** Reads the VTODO components of a file and skips everything else. */
export async function* readIcal(source: FileSource, options: ReadOptions): AsyncGenerator<FileEntry> {
  const books = await readZones(source);
  const hashes = new Map<Component, ReturnType<typeof createHash>>();
  const idOf = createContentIds('ics');
  let [calendar, found, others] = [-1, 0, 0];
  const walk: Walk = {
    wanted: (name) => {
      others += otherThings.has(name) ? 1 : 0;
      return name === 'VTODO';
    },
    kept: ({ name }) => propertiesOfTodo.has(name),
    onLine: ({ bytes }, component) => {
      if (!hashes.has(component)) hashes.clear();
      const hash = hashes.get(component) ?? createHash('sha256');
      hashes.set(component, hash.update(`${bytes}\n`, 'latin1'));
    },
  };
  const toEntries = (todo: Component): FileEntry[] => {
    const uid = todo.properties.find(({ name }) => name === 'UID')?.value ?? '';
    const id = readTexts(uid, '')[0]?.trim() ?? '';
    const name = id === '' ? `VTODO ${found}, which has no UID` : `UID ${id}`;
    const content = hashes.get(todo)?.digest('hex') ?? '';
    const entry = readEntry(`:${todo.line}: ${name}`, () => ({
      ...readTask(todo, { zones: books[calendar] ?? { described: new Map(), named: undefined }, options }),
      ...(id === '' ? idOf(content) : idOfUid(id)),
    }));
    return 'task' in entry ? [entry, ...remarksOf(todo, id)] : [entry];
  };
  for await (const event of walkCalendars(readContentLines(source), walk)) {
    if ('begin' in event) calendar += 1;
    else if ('component' in event) {
      found += 1;
      yield* toEntries(event.component);
    } else if ('fault' in event) yield { skipped: { place: `:${event.fault.line}`, problem: event.fault.problem } };
  }
  if (found === 0 && others > 0) throw new BrokenFile(`holds no task: its ${others} VEVENT or VJOURNAL are none`);
}
