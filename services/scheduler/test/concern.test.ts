import { afterAll, expect, it } from '@jest/globals';
import { Task, TaskChange, TaskEvent, TaskEventType, TaskStatus } from '#contract/tasks/v1/tasks';
import { createAuditLog } from '#libs/audit';
import { openDatabase, uuidv7 } from '#libs/db';
import { concernsOthers } from '#libs/events';
import { systemClock } from '#libs/runtime';
import { prepareTestService } from '#dev/testing';
import { createRandom, type Random } from '../../../libs/dev/testing/src/random.ts';
import { audienceOf } from '../../tasks/src/domain/task-audience.ts';
import { toOverdueEvent } from '../../tasks/src/domain/task.events.ts';
import { createClaimedJobs } from '../src/background/claimed-jobs.ts';
import { databaseDefinition } from '../src/db/database.ts';
import { createRepositories } from '../src/db/repositories.ts';
import { ingestEvents } from '../src/use-cases/events/ingest-events.ts';

const testService = await prepareTestService('scheduler');
const database = await openDatabase({
  ...databaseDefinition(testService.databaseUrl),
  logger: testService.logger,
  poolSize: 2,
  applicationName: 'concern',
});
const audit = createAuditLog({ service: 'scheduler', database, logger: testService.logger, retentionMs: 86_400_000 });
const uow = database.unitOfWork(createRepositories(audit, { mailsOn: false }));
afterAll(async () => {
  await database.close();
  await testService.leave();
});

const people = Array.from({ length: 3 }, () => uuidv7());
const statuses = [TaskStatus.PENDING, TaskStatus.IN_PROGRESS, TaskStatus.COMPLETED, TaskStatus.CANCELLED];
const { actor: sweeper } = toOverdueEvent({ task: Task.fromPartial({}), version: 1n, dueVersion: 1n });

function randomTask(random: Random): Task {
  return Task.fromPartial({
    ownerId: random.pick(people),
    assigneeId: random.pick([...people, '']),
    title: random.pick(['one', 'two']),
    status: random.pick(statuses),
  });
}

/** Any event that tasks could write, and many that it could not. Every part is as likely to be absent as to be there. */
function randomEvent(random: Random, eventId: bigint): TaskEvent {
  const type = random.pick([
    TaskEventType.CREATED,
    TaskEventType.UPDATED,
    TaskEventType.DELETED,
    TaskEventType.OVERDUE,
    TaskEventType.UNSPECIFIED,
  ]);
  return TaskEvent.fromPartial({
    position: { incarnation: 1n, transactionId: 1n, eventId },
    type,
    taskId: uuidv7(),
    taskVersion: 1n,
    actor: type === TaskEventType.OVERDUE ? sweeper : random.pick(people),
    createTime: new Date(),
    change: {
      before: random.chance(0.5) ? randomTask(random) : undefined,
      after: random.chance(0.8) ? randomTask(random) : undefined,
      dueVersion: 1n,
    },
  });
}

it('every event that notifies somebody concerns others than its actor, so tasks does not pass over it', async () => {
  const random = createRandom('concern');
  const events = Array.from({ length: 2_000 }, (_, index) => randomEvent(random, BigInt(index + 1)));
  const deps = {
    newId: () => uuidv7(),
    clock: systemClock,
    retention: { notificationsMs: 86_400_000 },
    logger: testService.logger,
    // As while Redis is away: rows without jobs.
    queue: { isReachable: () => false, newJobId: () => uuidv7() },
    claimedJobs: createClaimedJobs(),
  };
  await uow.run((repositories) => ingestEvents(deps, events, repositories));
  const rows = await testService.sql<{ event_id: string }>('select distinct event_id from notifications');
  const notifying = new Set(rows.map((row) => BigInt(row.event_id)));
  const isPulled = ({ actor, change }: TaskEvent) =>
    concernsOthers({ actor, audience: audienceOf(change ?? TaskChange.fromPartial({})) });
  const lost = events.filter((event) => notifying.has(event.position?.eventId ?? 0n) && !isPulled(event));
  expect(lost).toEqual([]);
  // Both kinds are there, so the comparison says something.
  expect(notifying.size).toBeGreaterThan(100);
  expect(events.filter((event) => !isPulled(event)).length).toBeGreaterThan(100);
});
