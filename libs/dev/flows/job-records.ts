import { randomUUID } from 'node:crypto';
import { queryDatabase } from '#dev/cluster';
import type { TestCluster } from './test-cluster.ts';

/* Dead letters and failed jobs, written straight into the scheduler's database: they arise only when something goes wrong. */

type OfCluster = Pick<TestCluster, 'cluster'>;

const write = ({ cluster }: OfCluster, text: string, values: unknown[]): Promise<unknown> =>
  queryDatabase(cluster.databaseUrl('scheduler'), text, values);

/** The id of a job that has ended. */
export async function finishedJob(testCluster: OfCluster): Promise<string> {
  const jobId = randomUUID();
  await write(
    testCluster,
    `insert into schedule_runs (id, schedule_id, planned_time, call_id, trace_parent, state, job_id, result, create_time)
     values ($1, 'gone', now(), '', '', 'done', $2, '', now())`,
    [randomUUID(), jobId],
  );
  return jobId;
}

/** The id of a dead letter. */
export async function deadJob(testCluster: OfCluster): Promise<string> {
  const id = randomUUID();
  await write(
    testCluster,
    `insert into dead_letters (id, queue, name, job_id, payload, error, attempts, call_id, create_time)
     values ($1, 'schedules', 'run-schedule', $2, $3, 'Error: broken', 5, '', now())`,
    [id, randomUUID(), JSON.stringify({ scheduleId: 'gone', runId: randomUUID() })],
  );
  return id;
}

let lastEventId = 1_000_000_000;

/** The id of a dead-letter event that concerns nobody. */
export async function deadLetterEvent(testCluster: OfCluster): Promise<bigint> {
  lastEventId += 1;
  await write(
    testCluster,
    `insert into parked_events (cursor_name, transaction_id, event_id, event, error) values ('tasks', '1', $1, '', 'Error')`,
    [lastEventId],
  );
  return BigInt(lastEventId);
}
