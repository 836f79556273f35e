import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { createMigratedDatabase, testPostgresUrl, type TestDatabase } from '#dev/cluster';
import { queryOnce } from '#dev/testing';
import { fillTasks } from './fill.ts';
import type { People } from './people.ts';

let database: TestDatabase;

beforeAll(async () => {
  database = await createMigratedDatabase(testPostgresUrl(), 'tasks');
});
afterAll(() => database.drop());

const ids = Array.from({ length: 100 }, () => randomUUID());

function peopleOf(order: string[]): People {
  const placeOf = new Map(order.map((id, place) => [id, place]));
  return { callers: [], ids: order, placeOf, keepSignedIn: async () => undefined, close: () => undefined };
}

it('fills lists that others write to meanwhile, and numbers their events without gaps', async () => {
  const fill = async (from: number, people: People): Promise<void> =>
    fillTasks(database.url, people, {
      from,
      to: from + 300,
      report: () => undefined,
      signal: new AbortController().signal,
    });

  await Promise.all([fill(0, peopleOf(ids)), fill(300, peopleOf(ids.toReversed()))]);

  const counts = `
    select (select count(*)::int from tasks) as tasks, (select count(*)::int from events) as events,
      (select count(*)::int from event_stream_heads h
        where last_sequence <> (select count(*) from events e where e.stream_id = h.stream_id)) as wrong`;
  expect(await queryOnce(database.url, counts)).toEqual([{ tasks: 600, events: 600, wrong: 0 }]);
});
