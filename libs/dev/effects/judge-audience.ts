import type { Sighting } from './calls.ts';
import type { EventFact, Facts, NotificationFact, TaskSide } from './facts.ts';
import { compare, each, leaked, lost, surplus, type Fault } from './fault.ts';

/* Who is notified of what, written a second time from the contract: it shares no code with the services. */

const unique = (ids: readonly (string | undefined)[]): string[] =>
  [...new Set(ids)].filter((id): id is string => id !== undefined && id !== '');

/** The owner and the assignee, before and after. */
const concerned = ({ before, after }: EventFact): string[] =>
  unique([before?.ownerId, before?.assigneeId, after?.ownerId, after?.assigneeId]);

/** Nobody is notified of their own changes. A new assignee is notified of the assignment only. */
function tellsOfWrite({ actor, before }: EventFact, after: TaskSide): string[] {
  const newcomers =
    after.assigneeId === (before?.assigneeId ?? '') ? [] : unique([after.assigneeId]).filter((id) => id !== actor);
  const hasChanged = before !== undefined && before.status !== after.status;
  const witnesses = hasChanged
    ? unique([after.ownerId, after.assigneeId]).filter((id) => id !== actor && !newcomers.includes(id))
    : [];
  return [...newcomers.map((id) => `${id} ASSIGNED`), ...witnesses.map((id) => `${id} STATUS_CHANGED`)];
}

/** "recipient kind" of every notification that follows from an event. */
export function dueNotifications(event: EventFact): string[] {
  const { type, after } = event;
  if (after === undefined) return [];
  if (type === 'OVERDUE') return unique([after.ownerId, after.assigneeId]).map((id) => `${id} OVERDUE`);
  return type === 'CREATED' || type === 'UPDATED' ? tellsOfWrite(event, after) : [];
}

function judgeRecord(event: EventFact): Fault[] {
  const expected = new Set(concerned(event));
  const found = new Set(event.audience);
  const what = `event ${event.id} of task ${event.taskId}`;
  return [
    ...[...found]
      .filter((id) => !expected.has(id))
      .map((id) => leaked(`${what} is on record for ${id}, whom it does not concern`)),
    ...[...expected].filter((id) => !found.has(id)).map((id) => lost(`${what} is not on record for ${id}`)),
  ];
}

function judgeTold(event: EventFact, notifications: readonly NotificationFact[]): Fault[] {
  const expected = dueNotifications(event);
  const found = Map.groupBy(notifications, ({ recipientId, kind }) => `${recipientId} ${kind}`);
  return [
    ...expected
      .filter((key) => !found.has(key))
      .map((key) => lost(`event ${event.id} of task ${event.taskId} made no notification ${key}`)),
    ...each(found, ([key, rows]) => {
      if (!expected.includes(key))
        return [leaked(`event ${event.id} of task ${event.taskId} made a notification ${key}, which is not due`)];
      return compare(`notifications ${key} of event ${event.id}`, rows.length, { least: 1, most: 1 });
    }),
  ];
}

/** Nobody is notified twice of one due version, by whichever events. */
function judgeRepetition(notifications: readonly NotificationFact[]): Fault[] {
  const overdue = notifications.filter(({ kind, state }) => kind === 'OVERDUE' && state === 'delivered');
  const byVersion = Map.groupBy(
    overdue,
    ({ recipientId, taskId, dueVersion }) => `${recipientId} of task ${taskId} in due version ${dueVersion}`,
  );
  return each(byVersion, ([key, rows]) =>
    compare(`overdue notifications delivered to ${key}`, rows.length, { least: 1, most: 1 }),
  );
}

/** A notification may be dropped as stale only if the task was closed, deleted or given another due time since. */
function judgeDropped(notifications: readonly NotificationFact[], events: readonly EventFact[]): Fault[] {
  const byTask = Map.groupBy(events, ({ taskId }) => taskId);
  return each(
    notifications.filter(({ kind, state }) => kind === 'OVERDUE' && state === 'stale'),
    ({ id, taskId, dueVersion }) => {
      const ofTask = byTask.get(taskId) ?? [];
      const announced = ofTask.find((event) => event.type === 'OVERDUE' && event.dueVersion === dueVersion);
      const isExcused = ofTask.some(
        ({ type, taskVersion, after, ...event }) =>
          taskVersion > (announced?.taskVersion ?? 0) &&
          (type === 'DELETED' ||
            event.dueVersion !== dueVersion ||
            ['COMPLETED', 'CANCELLED'].some((status) => after?.status.endsWith(status))),
      );
      return isExcused ? [] : [lost(`notification ${id} of task ${taskId} was dropped although it is true`)];
    },
  );
}

/** Every event concerns and tells exactly whom it should, and nobody saw what was not theirs. */
export function judgeAudience(facts: Facts, sightings: readonly Sighting[]): Fault[] {
  const ofEvents = facts.notifications.filter(({ eventId }) => eventId !== '');
  const byEvent = Map.groupBy(ofEvents, ({ eventId }) => eventId);
  const known = new Set(facts.events.map(({ id }) => id));
  return [
    ...each(facts.events, (event) => [...judgeRecord(event), ...judgeTold(event, byEvent.get(event.id) ?? [])]),
    ...ofEvents
      .filter(({ eventId }) => !known.has(eventId))
      .map(({ id, eventId }) => surplus(`notification ${id} is of event ${eventId}, which does not exist`)),
    ...judgeRepetition(ofEvents),
    ...judgeDropped(ofEvents, facts.events),
    ...sightings.map(({ userId, taskId, through }) =>
      leaked(`${userId} saw task ${taskId} of somebody else through ${through}`),
    ),
  ];
}
