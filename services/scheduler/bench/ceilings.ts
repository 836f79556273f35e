// Started by measure-sweep.ts: what the parts of a sweep cost alone, in a process of their own.
import { Queue } from 'bullmq';
import { Redis } from 'ioredis';
import { Client, type QueryResult } from 'pg';
import { runWorker } from '#dev/bench';
import { rowTypes, uuidv7 } from '#libs/db';
import { appendStatement } from '#libs/events';
import { claimOverdue, toOverdueTask, windowBatches, type ClaimedRow } from '../../tasks/src/db/overdue-sweep.ts';
import { counterCount } from '../../tasks/src/domain/task-counters.ts';
import { toOverdueEvent } from '../../tasks/src/domain/task.events.ts';

export interface SweepOrder {
  databaseUrl: string;
  batchSize: number;
}

export interface BulkOrder {
  redisUrl: string;
  jobs: number;
  idsPerJob: number;
}

export interface Rate {
  count: number;
  ms: number;
}

export interface SweepRate extends Rate {
  /** Of each batch, in their order; the last one found nothing. */
  batchMs: number[];
}

/** The statements of a sweep, prepared, and nothing else: due rows out, events in. */
async function sweepAlone({ databaseUrl, batchSize }: SweepOrder): Promise<SweepRate> {
  const client = new Client({ connectionString: databaseUrl });
  await client.connect();
  const began = performance.now();
  let count = 0;
  let from: Date | string = '-infinity';
  const batchMs: number[] = [];
  for (;;) {
    const batchBegan = performance.now();
    await client.query('begin');
    const { rows }: QueryResult<ClaimedRow> = await client.query({
      name: 'claim',
      text: claimOverdue,
      values: [batchSize, batchSize * windowBatches, from],
      types: rowTypes,
    });
    if (rows.length > 0)
      await client.query(
        appendStatement({ events: rows.map(toOverdueTask).map(toOverdueEvent), counters: [], counterCount }),
      );
    await client.query('commit');
    batchMs.push(performance.now() - batchBegan);
    count += rows.length;
    if (rows.length === 0) break;
    from = rows[0]?.next_due_time ?? from;
  }
  const ms = performance.now() - began;
  await client.end();
  return { count, ms, batchMs };
}

const jobsPerCall = 500;

/** Jobs like those that deliver, added to a queue without a worker. */
async function addBulkAlone({ redisUrl, jobs, idsPerJob }: BulkOrder): Promise<Rate> {
  const connection = new Redis(redisUrl, { maxRetriesPerRequest: null });
  const queue = new Queue(`bench-${uuidv7()}`, { connection, prefix: 'bench' });
  await queue.waitUntilReady();
  const notificationIds = Array.from({ length: idsPerJob }, () => uuidv7());
  const began = performance.now();
  for (let added = 0; added < jobs; added += jobsPerCall) {
    const batch = Array.from({ length: Math.min(jobsPerCall, jobs - added) }, () => ({
      name: 'deliver-notifications',
      data: { recipientId: uuidv7(), notificationIds },
      opts: {
        jobId: uuidv7(),
        attempts: 8,
        backoff: { type: 'exponential', delay: 1000 },
        removeOnComplete: true,
        removeOnFail: true,
      },
    }));
    await queue.addBulk(batch);
  }
  const ms = performance.now() - began;
  await queue.obliterate({ force: true });
  await queue.close();
  connection.disconnect();
  return { count: jobs, ms };
}

runWorker({ sweepAlone, addBulkAlone });
