import { GetTaskStatsRequest, GetTaskStatsResponse } from '#contract/tasks/v1/tasks';
import { callOnce } from '#dev/bench';
import { queryOnce } from '#dev/testing';
import { pathOf, type BenchCluster } from '../bench-cluster.ts';

/** The service's counts must match the rows, or the filled data differs from what the service would have written. */
export async function checkCounts({ cluster, people, context }: BenchCluster): Promise<void> {
  const rows = await queryOnce<{ id: string; count: string }>(
    cluster.databaseUrl('tasks'),
    `select person as id,
       (select count(*) from tasks where (owner_id = person or assignee_id = person) and delete_time is null) as count
     from unnest($1::uuid[]) as person`,
    [people.callers.map(({ id }) => id)],
  );
  const present = new Map(rows.map(({ id, count }) => [id, count]));
  let wrong = 0;
  for (const { id, headers } of people.callers) {
    const answer = await callOnce(
      cluster.address('tasks'),
      pathOf('getTaskStats'),
      GetTaskStatsRequest.encode(GetTaskStatsRequest.fromPartial({})).finish(),
      headers,
    );
    if (String(GetTaskStatsResponse.decode(answer).stats?.totalCount) !== present.get(id)) wrong += 1;
  }
  context.results.figures.push({
    name: `statistics that are not what is there, of ${people.callers.length}`,
    value: wrong,
    unit: 'callers',
    mustBeZero: true,
  });
}
