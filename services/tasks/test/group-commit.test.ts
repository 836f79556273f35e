import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createMigratedDatabase, testPostgresUrl, type TestDatabase } from '#dev/cluster';
import { queryOnce } from '#dev/testing';
import { createRandom } from '../../../libs/dev/testing/src/random.ts';
import { openDatabase, uuidv7, type Database, type UnitOfWork } from '#libs/db';
import { createLogger, systemClock } from '#libs/runtime';
import { databaseDefinition } from '../src/db/database.ts';
import { constraintErrors, createRepositories } from '../src/db/repositories.ts';
import { taskGroups, type OneTask } from '../src/db/task-groups.ts';
import { createTaskReader } from '../src/db/task-reader.ts';
import { People } from '../src/domain/people.ts';
import { WriteJudge, type EventFact, type Judged, type RecordFact } from './judge-random-writes.ts';
import { carryOut, RandomWrites, stranger, writers, type WriteDeps } from './random-writes.ts';

const logger = createLogger({ service: 'test', level: 'silent' });
const waves = 30;
const everybody = new Map(
  writers.map(({ userId }) => [userId, { id: userId, displayName: 'Somebody', enabled: true, serviceAccount: false }]),
);

/** Nobody is invited here. */
const unitOfWorkOf = (database: Database) =>
  database.unitOfWork((em) => createRepositories(em, { mailInvitation: () => undefined }), constraintErrors);

function depsOf(database: Database, oneTaskUow: UnitOfWork<OneTask>): WriteDeps {
  return {
    uow: unitOfWorkOf(database),
    oneTaskUow,
    taskReader: createTaskReader(database.reader),
    people: {
      lookUp: async () => {
        const asked = new Set([...everybody.keys(), stranger]);
        return new People({ asked, current: everybody, remembered: new Map() });
      },
      findByEmails: async () => new Map(),
      forget: async () => undefined,
    },
    unknownEmails: { take: async () => ({ allowed: true, retryAfterMs: 0 }), giveBack: async () => undefined },
    clock: systemClock,
    newId: uuidv7,
    retentionMs: 3_600_000,
  };
}

const readEvents = `
  select subject_id as "subjectId", subject_version as "subjectVersion", call_id as "callId",
    trace_parent as "traceParent", payload, transaction_id as "transactionId" from events
  order by subject_id, subject_version`;
const readRecords = `
  select user_id as "userId", method, request_id as "idempotencyKey", response from idempotency_records`;

/** Each is empty when what is stored agrees with itself. */
const contradictions: Readonly<Record<string, string>> = {
  'numbers with gaps': `
    select stream_id from events group by stream_id
    having min(sequence) <> 1 or max(sequence) <> count(*)`,
  'heads that are not the last number': `
    select stream_id, last_sequence from event_stream_heads
    where last_sequence <> (select count(*) from events where events.stream_id = event_stream_heads.stream_id)`,
  'counters that are not what is there': `
    select stream_id, place, counted from event_stream_heads,
      lateral unnest(counters) with ordinality as c (counted, place)
    where counted <> (
      select count(*) from tasks where delete_time is null and case
        when place <= 16 then owner_id = stream_id and cell = place
        else assignee_id = stream_id and owner_id <> stream_id and cell = place - 16 end)`,
  'tasks without their due row, or the reverse': `
    select coalesce(id, task_id) as id from
      (select * from tasks where due_time is not null and delete_time is null and status in (1, 2)) as waiting
      full join task_due on task_due.task_id = waiting.id
    where waiting.due_version is distinct from task_due.due_version
      or waiting.assignee_id is distinct from task_due.assignee_id
      or waiting.due_time is distinct from task_due.due_time`,
  'tasks without the event of their version': `
    select id from tasks where version <> (select max(subject_version) from events where subject_id = tasks.id)`,
  'events without their audience': `
    select id from events where not exists (
      select 1 from event_audience where event_id = events.id and user_id = stream_id
        and event_audience.transaction_id = events.transaction_id)`,
};

describe.each([
  ['one by one', [1], (_: Database, uow: UnitOfWork<OneTask>) => uow],
  ['in groups', [1, 2], (database: Database, uow: UnitOfWork<OneTask>) => database.groupCommit(taskGroups, uow)],
] as const)('changes of single tasks, carried out %s', (name, seeds, choose) => {
  let postgres: TestDatabase;
  let database: Database;
  beforeAll(async () => {
    postgres = await createMigratedDatabase(testPostgresUrl(), 'tasks');
    const { url } = postgres;
    database = await openDatabase({ ...databaseDefinition(url), poolSize: 8, logger, applicationName: 'test' });
  });
  afterAll(async () => {
    await database.close();
    await postgres.drop();
  });

  const query = <Row extends object>(text: string, ...values: unknown[]) =>
    database.reader.query<Row>({ name: '', text }, values);
  const findPresent = async (callIds: readonly string[]): Promise<Set<string>> => {
    const text = 'select call_id from events where call_id = any ($1::text[])';
    return new Set((await query<{ call_id: string }>(text, callIds)).map((row) => row.call_id));
  };

  it.each(seeds)('have the answers and effects of some order of the calls, %i', async (seed) => {
    await queryOnce(
      postgres.url,
      'truncate tasks, task_due, events, event_stream_heads, event_audience, overdue_moves, idempotency_records',
    );
    const deps = depsOf(database, choose(database, unitOfWorkOf(database)));
    const writes = new RandomWrites(createRandom(`group commit ${seed}`));
    const calls: Judged[] = [];
    const late: string[] = [];
    for (let wave = 0; wave < waves; wave += 1) {
      const results = await carryOut(deps, writes.wave(), logger);
      const present = await findPresent(results.map(({ callId }) => callId));
      late.push(...results.flatMap(({ callId }) => (present.has(callId) ? [] : [callId])));
      calls.push(...results.map((result) => ({ ...result, wave })));
      writes.know((await query<{ id: string }>('select id from tasks order by id')).map(({ id }) => id));
    }

    const events = await query<EventFact & { transactionId: bigint }>(readEvents);
    expect(new WriteJudge(calls, events).judge(await query<RecordFact>(readRecords))).toEqual([]);
    for (const [what, text] of Object.entries(contradictions)) expect([what, await query(text)]).toEqual([what, []]);
    expect(late.filter((id) => events.some(({ callId }) => callId === id))).toEqual([]);
    const transactions = new Set(events.map(({ transactionId }) => transactionId)).size;
    if (name === 'in groups') expect(transactions).toBeLessThan(0.7 * events.length);
    else expect(transactions).toBe(events.length);
  });
});
