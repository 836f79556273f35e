import { Client } from 'pg';
import { GetTaskStatsRequest, GetTaskStatsResponse } from '#contract/tasks/v1/tasks';
import { callOnce } from '#libs/bench';
import { pathOf, type World } from '../world.ts';

/** What the service counts must be what is there, or the data is not what the service would have made of it. */
export async function checkCounts({ cluster, people, context }: World): Promise<void> {
  const client = new Client({ connectionString: cluster.databaseUrl('tasks') });
  await client.connect();
  let wrong = 0;
  try {
    for (const { id, headers } of people.callers) {
      const answer = await callOnce(cluster.address('tasks'), pathOf('getTaskStats'), GetTaskStatsRequest.encode({ ownerId: '' }).finish(), headers);
      const { rows } = await client.query<{ count: string }>('select count(*) from tasks where (owner_id = $1 or assignee_id = $1) and delete_time is null', [id]);
      if (String(GetTaskStatsResponse.decode(answer).stats?.total) !== rows[0]?.count) wrong += 1;
    }
  } finally {
    await client.end();
  }
  context.results.figures.push({ name: `statistics that are not what is there, of ${people.callers.length}`, value: wrong, unit: 'callers', mustBeZero: true });
}
