import ICAL from 'ical.js';
import { TaskPriority, TaskStatus } from '#contract/tasks/v1/tasks';
import { findZone } from '../src/domain/due-day.ts';
import { atLocalTime, BrokenFile, createContentIds, fitTitle, readEntry, requireDay, requireZone, Unreadable, type FileDue, type FileTask, type ReadOptions, type TaskFile } from './file-task.ts';
import { externalIdOfUid, zoneParameter } from './ical-names.ts';

interface Calendar {
  component: ICAL.Component;
  /** For days and times without a zone. */
  zone: string;
}

function parseCalendars(content: string, { zone: fallback }: ReadOptions): Calendar[] {
  if (content.includes('\ufffd')) throw new BrokenFile('is not UTF-8');
  if (!/^\ufeff?\s*BEGIN:VCALENDAR/i.test(content)) throw new BrokenFile('is no iCalendar file: it does not begin with BEGIN:VCALENDAR');
  try {
    const parsed = ICAL.parse(content.replace(/^\ufeff?\s*/, '')) as unknown[];
    // One calendar is the calendar, several are a list of them.
    const calendars = typeof parsed[0] === 'string' ? [parsed] : parsed;
    return calendars.map((jcal) => {
      const component = new ICAL.Component(jcal as ConstructorParameters<typeof ICAL.Component>[0]);
      const named = findZone(String(component.getFirstPropertyValue('x-wr-timezone') ?? ''));
      return { component, zone: named ?? fallback };
    });
  } catch (error) {
    throw new BrokenFile(`is no iCalendar file: ${(error as Error).message}`);
  }
}

function textOf(todo: ICAL.Component, name: string): string {
  return String(todo.getFirstPropertyValue(name) ?? '');
}

const statuses: Readonly<Record<string, TaskStatus>> = {
  'NEEDS-ACTION': TaskStatus.PENDING,
  'IN-PROCESS': TaskStatus.IN_PROGRESS,
  COMPLETED: TaskStatus.COMPLETED,
  CANCELLED: TaskStatus.CANCELLED,
};

function readStatus(todo: ICAL.Component): TaskStatus {
  const told = textOf(todo, 'status').toUpperCase();
  if (told === '') return todo.hasProperty('completed') || textOf(todo, 'percent-complete') === '100' ? TaskStatus.COMPLETED : TaskStatus.PENDING;
  const status = statuses[told];
  if (status === undefined) throw new Unreadable(`STATUS "${told}" is not one of a task`);
  return status;
}

/** 1 is the highest, 5 the middle, 9 the lowest, 0 none. */
function readPriority(todo: ICAL.Component): TaskPriority {
  const told = todo.getFirstPropertyValue('priority') ?? 0;
  const number = Number(told);
  if (!Number.isInteger(number) || number < 0 || number > 9) throw new Unreadable(`PRIORITY "${String(told)}" is not a number from 0 to 9`);
  if (number === 0 || number === 5) return TaskPriority.MEDIUM;
  if (number === 1) return TaskPriority.URGENT;
  return number < 5 ? TaskPriority.HIGH : TaskPriority.LOW;
}

function dayOf({ year, month, day }: ICAL.Time): string {
  return `${String(year).padStart(4, '0')}-${String(month).padStart(2, '0')}-${String(day).padStart(2, '0')}`;
}

function timeOf({ hour, minute, second }: ICAL.Time): string {
  return [hour, minute, second].map((part) => String(part).padStart(2, '0')).join(':');
}

/** The zone as IANA names it, or as the file itself describes it. */
function readZoned(time: ICAL.Time, tzid: string, calendar: ICAL.Component): Date {
  const zone = findZone(tzid) ?? findZone(/[A-Za-z_]+\/[A-Za-z_/+-]+$/.exec(tzid)?.[0] ?? '');
  if (zone !== undefined) return atLocalTime(dayOf(time), timeOf(time), zone);
  const described = calendar.getAllSubcomponents('vtimezone').find((one) => textOf(one, 'tzid') === tzid);
  if (described === undefined) throw new Unreadable(`TZID "${tzid}" is neither a zone that is known nor described in the file`);
  const { year, month, day, hour, minute, second } = time;
  return new Date(ICAL.Time.fromData({ year, month, day, hour, minute, second }, new ICAL.Timezone(described)).toUnixTime() * 1000);
}

function toDue(time: ICAL.Time, property: ICAL.Property, { component, zone }: Calendar): FileDue {
  const day = requireDay(dayOf(time), 'DUE');
  if (time.isDate) {
    const told = property.getFirstParameter(zoneParameter);
    return { date: day, zone: told ? requireZone(told, zoneParameter.toUpperCase()) : zone };
  }
  const tzid = property.getFirstParameter('tzid');
  if (tzid) return { time: readZoned(time, tzid, component) };
  return { time: atLocalTime(day, timeOf(time), time.zone?.tzid === 'UTC' ? 'UTC' : zone) };
}

/** DUE, or DTSTART with DURATION. */
function readDue(todo: ICAL.Component, calendar: Calendar): FileDue | undefined {
  const due = todo.getFirstProperty('due');
  const [start, duration] = [todo.getFirstProperty('dtstart'), todo.getFirstPropertyValue('duration')];
  if (due !== null) return toDue(requireTime(due, 'DUE'), due, calendar);
  if (start === null || !(duration instanceof ICAL.Duration)) return undefined;
  const end = requireTime(start, 'DTSTART').clone();
  end.addDuration(duration);
  return toDue(end, start, calendar);
}

function requireTime(property: ICAL.Property, what: string): ICAL.Time {
  const value = property.getFirstValue();
  if (!(value instanceof ICAL.Time)) throw new Unreadable(`${what} is not a time`);
  return value;
}

function readTodo(todo: ICAL.Component, calendar: Calendar): FileTask {
  if (todo.hasProperty('recurrence-id')) throw new Unreadable('is one occurrence of a repeating task: only the task itself is taken');
  const summary = textOf(todo, 'summary').trim();
  if (summary === '') throw new Unreadable('SUMMARY is empty');
  const labels = todo.getAllProperties('categories').flatMap((property) => property.getValues().map((value) => String(value).trim()));
  return {
    ...fitTitle(summary, textOf(todo, 'description')),
    status: readStatus(todo),
    priority: readPriority(todo),
    due: readDue(todo, calendar),
    labels: [...new Set(labels.filter((label) => label !== ''))],
  };
}

/** Values are decoded when they are looked at; what the package says of a bad one is said of its entry. */
function inItsOwnWords<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw error instanceof Unreadable ? error : new Unreadable((error as Error).message);
  }
}

/** Reads the VTODO components of a file; everything else in it is passed over. */
export function readIcal(content: string, options: ReadOptions): TaskFile {
  const file: TaskFile = { tasks: [], malformed: [] };
  const idOf = createContentIds('ics');
  const seen = new Set<string>();
  const calendars = parseCalendars(content, options);
  const todos = calendars.flatMap((calendar) => calendar.component.getAllSubcomponents('vtodo').map((todo) => ({ calendar, todo })));
  for (const [index, { calendar, todo }] of todos.entries()) {
    const uid = textOf(todo, 'uid').trim();
    const place = uid === '' ? `: VTODO ${index + 1}, which has no UID` : `: UID ${uid}`;
    readEntry(file, place, () => {
      const task = inItsOwnWords(() => readTodo(todo, calendar));
      const externalId = uid === '' ? idOf(todo.toString()) : externalIdOfUid(uid);
      if (seen.has(externalId)) throw new Unreadable('the same UID stands in the file before');
      seen.add(externalId);
      return { externalId, ...task };
    });
  }
  return file;
}
