import type { WriteCall } from './calls.ts';
import type { EventFact, Facts, TaskFact } from './facts.ts';
import { compare, contradiction, each, lost, surplus, unless, type Fault } from './fault.ts';

const sweeper = 'service:scheduler';

/** How many events a call has left must fit its outcome: one for each task that it wrote, or none at all. */
function judgeCall({ requestId, creates, changes, outcome }: WriteCall, events: readonly EventFact[]): Fault[] {
  const wanted = creates.length + changes.length;
  const of = `events of call ${requestId} (${outcome})`;
  if (outcome === 'refused') return compare(of, events.length, { least: 0, most: 0 });
  if (outcome === 'acknowledged') return compare(of, events.length, { least: wanted, most: wanted });
  if (events.length > 0 && events.length < wanted) return [contradiction(`${of}: ${events.length} of ${wanted}`)];
  return compare(of, events.length, { least: 0, most: wanted });
}

/** What a call wrote is what it was about: each of its titles once, each of its tasks once. */
function judgeSubjects({ requestId, creates, changes }: WriteCall, events: readonly EventFact[]): Fault[] {
  const titles = new Set(creates);
  const ids = new Set(changes);
  return events.flatMap((event) => {
    const expected = event.type === 'CREATED' ? titles.delete(event.after?.title ?? '') : ids.delete(event.taskId);
    const what = `event ${event.id} (${event.type} of task ${event.taskId})`;
    return unless(expected, surplus(`${what} is not what call ${requestId} was about, or a second time`));
  });
}

function judgeCalls(calls: readonly WriteCall[], written: readonly EventFact[]): Fault[] {
  const byCall = Map.groupBy(written, ({ requestId }) => requestId);
  const known = new Set(calls.map(({ requestId }) => requestId));
  const strangers = written.filter(({ requestId }) => !known.has(requestId));
  return [
    ...each(calls, (call) => [
      ...judgeCall(call, byCall.get(call.requestId) ?? []),
      ...judgeSubjects(call, byCall.get(call.requestId) ?? []),
    ]),
    ...strangers.map(({ id, type, taskId }) => surplus(`event ${id} (${type} of task ${taskId}) stems from no call`)),
  ];
}

/** A title belongs to one call, so it names one task, under whichever id of a call. */
function judgeTitles(calls: readonly WriteCall[], written: readonly EventFact[]): Fault[] {
  const created = written.filter(({ type }) => type === 'CREATED');
  const byTitle = Map.groupBy(created, ({ after }) => after?.title ?? '');
  const refused = new Set(calls.filter(({ outcome }) => outcome === 'refused').flatMap(({ creates }) => creates));
  return each(byTitle, ([title, events]) =>
    compare(`tasks created as "${title}"`, events.length, { least: 0, most: refused.has(title) ? 0 : 1 }),
  );
}

function matchesEvent(task: TaskFact, last: EventFact): boolean {
  if (task.deleted || last.type === 'DELETED') return task.deleted && last.type === 'DELETED';
  return (
    last.after?.title === task.title && last.after.assigneeId === task.assigneeId && last.dueVersion === task.dueVersion
  );
}

/** A task is what its events have made of it, version by version. */
function judgeTask(task: TaskFact, written: readonly EventFact[]): Fault[] {
  const name = `task ${task.id} (${task.title})`;
  const inOrder = written.toSorted((a, b) => a.taskVersion - b.taskVersion);
  const last = inOrder.at(-1);
  if (last === undefined) return [surplus(`${name} has no event`)];
  const gap = inOrder.findIndex(({ taskVersion }, index) => taskVersion !== index + 1);
  if (gap >= 0)
    return [contradiction(`${name} has an event of version ${inOrder[gap]?.taskVersion} in the place of ${gap + 1}`)];
  if (last.taskVersion !== task.version)
    return [contradiction(`${name} has version ${task.version} after ${last.taskVersion} events`)];
  return unless(matchesEvent(task, last), contradiction(`${name} is not what its last event says`));
}

function judgeTasks(tasks: readonly TaskFact[], written: readonly EventFact[]): Fault[] {
  const byTask = Map.groupBy(written, ({ taskId }) => taskId);
  const there = new Set(tasks.map(({ id }) => id));
  return [
    ...each(tasks, (task) => judgeTask(task, byTask.get(task.id) ?? [])),
    ...[...byTask.keys()].filter((id) => !there.has(id)).map((id) => lost(`task ${id} has events and no row`)),
  ];
}

/** Streams are dense, and their heads know how many events and tasks there are. */
function judgeStreams({ events, heads, tasks }: Facts): Fault[] {
  const byStream = Map.groupBy(events, ({ streamId }) => streamId);
  const there = tasks.filter(({ deleted }) => !deleted);
  const known = new Set(heads.map(({ streamId }) => streamId));
  return [
    ...each(new Set([...byStream.keys(), ...there.flatMap(({ ownerId, assigneeId }) => [ownerId, assigneeId])]), (id) =>
      unless(id === '' || known.has(id), lost(`stream ${id} has no head`)),
    ),
    ...each(heads, ({ streamId, lastSequence, owned, assigned }) => {
      const sequences = (byStream.get(streamId) ?? []).map(({ sequence }) => sequence).sort((a, b) => a - b);
      const gap = sequences.findIndex((sequence, index) => sequence !== index + 1);
      const counts = [
        there.filter(({ ownerId }) => ownerId === streamId).length,
        there.filter(({ ownerId, assigneeId }) => assigneeId === streamId && ownerId !== streamId).length,
      ];
      const head = `the head of stream ${streamId}`;
      const areCounted = owned === counts[0] && assigned === counts[1];
      return [
        ...unless(gap < 0, contradiction(`stream ${streamId} has ${sequences[gap]} in the place of event ${gap + 1}`)),
        ...unless(
          sequences.length === lastSequence,
          contradiction(`${head} says ${lastSequence} after ${sequences.length} events`),
        ),
        ...unless(
          areCounted,
          contradiction(`${head} counts ${owned} and ${assigned} tasks where ${counts.join(' and ')} are`),
        ),
      ];
    }),
  ];
}

const isOpen = ({ status, deleted }: TaskFact): boolean => (status === 1 || status === 2) && !deleted;

/** A due version is announced at most once, and once if it passed while the task was open. */
function judgeOverdue({ events, tasks, dues }: Facts): Fault[] {
  const announced = Map.groupBy(
    events.filter(({ type }) => type === 'OVERDUE'),
    ({ taskId, dueVersion }) => `${taskId} ${dueVersion}`,
  );
  const given = new Set(
    events.filter(({ type }) => type !== 'OVERDUE').map(({ taskId, dueVersion }) => `${taskId} ${dueVersion}`),
  );
  const rows = new Map(dues.map((due) => [due.taskId, due]));
  const byId = new Map(tasks.map((task) => [task.id, task]));
  return [
    ...each(announced, ([key, found]) => [
      ...compare(`overdue events of task and due version ${key}`, found.length, { least: 1, most: 1 }),
      ...unless(given.has(key), surplus(`overdue event of task and due version ${key}, which nobody gave`)),
    ]),
    ...each(
      tasks.filter((task) => isOpen(task) && task.hasDueTime),
      (task) => {
        const row = rows.get(task.id);
        if (row?.dueVersion !== task.dueVersion)
          return [lost(`task ${task.id} waits for its due time without a due row of version ${task.dueVersion}`)];
        if (!task.isDue) return [];
        const isTold = announced.has(`${task.id} ${task.dueVersion}`);
        const found = `${isTold ? '' : 'not '}announced, ${row.marked ? '' : 'not '}marked`;
        const what = `task ${task.id} is overdue in due version ${task.dueVersion}, ${found}`;
        return unless(isTold && row.marked, lost(what));
      },
    ),
    ...each(dues, ({ taskId }) => {
      const task = byId.get(taskId);
      const waits = task !== undefined && isOpen(task) && task.hasDueTime;
      return unless(waits, surplus(`a due row of task ${taskId}, which waits for nothing`));
    }),
  ];
}

/** Everything in tasks' database, in both directions: what calls explain is there, and what is there a call explains. */
export function judgeWrites(calls: readonly WriteCall[], facts: Facts): Fault[] {
  const written = facts.events.filter(({ type }) => type !== 'OVERDUE');
  const forged = facts.events.filter(({ type, actor }) => (type === 'OVERDUE') !== (actor === sweeper));
  return [
    ...judgeCalls(calls, written),
    ...judgeTitles(calls, written),
    ...judgeTasks(facts.tasks, written),
    ...judgeStreams(facts),
    ...judgeOverdue(facts),
    ...forged.map(({ id, type, actor }) => contradiction(`event ${id} (${type}) has the actor ${actor}`)),
  ];
}
