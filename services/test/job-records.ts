import { randomUUID } from 'node:crypto';
import { Client } from 'pg';
import type { World } from './start-world.ts';

/* What administrators can only find after something went wrong, written straight into the scheduler's database. */

async function write(world: World, text: string, values: unknown[]): Promise<void> {
  const connection = new Client({ connectionString: world.cluster.databaseUrl('scheduler') });
  await connection.connect();
  await connection.query(text, values).finally(() => connection.end());
}

/** The id of a job that has ended. */
export async function finishedJob(world: World): Promise<string> {
  const jobId = randomUUID();
  await write(
    world,
    `insert into schedule_runs (id, schedule_id, planned_time, call_id, trace_parent, state, job_id, result, create_time)
     values ($1, 'gone', now(), '', '', 'done', $2, '', now())`,
    [randomUUID(), jobId],
  );
  return jobId;
}

/** The id of a dead letter. */
export async function deadJob(world: World): Promise<string> {
  const id = randomUUID();
  await write(
    world,
    `insert into dead_letters (id, queue, name, job_id, payload, error, attempts, call_id, create_time)
     values ($1, 'schedules', 'run-schedule', $2, $3, 'Error: broken', 5, '', now())`,
    [id, randomUUID(), JSON.stringify({ scheduleId: 'gone', runId: randomUUID() })],
  );
  return id;
}

let lastEventId = 1_000_000_000;

/** The id of a parked event that concerns nobody. */
export async function parkedEvent(world: World): Promise<bigint> {
  lastEventId += 1;
  await write(world, `insert into parked_events (cursor_name, transaction_id, event_id, event, error) values ('tasks', '1', $1, '', 'Error')`, [lastEventId]);
  return BigInt(lastEventId);
}
