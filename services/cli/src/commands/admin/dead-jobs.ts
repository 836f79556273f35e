import { randomUUID } from 'node:crypto';
import type { Command } from 'commander';
import {
  DeadJobState,
  DiscardDeadJobResponseSchema,
  RetryDeadJobResponseSchema,
  type DeadJob,
} from '#client/scheduler';
import { act, examples } from '../../action.ts';
import { readCount } from '../../input/choices.ts';
import { showList } from '../../output/lists.ts';
import { oneLine, toWords } from '../../output/text.ts';
import { showTime } from '../../output/times.ts';

interface ListOptions {
  queue?: string;
  all?: boolean;
  limit: number;
}

function registerListing(dead: Command): void {
  const command = dead
    .command('ls', { isDefault: true })
    .summary('list dead jobs')
    .description('Lists the jobs that could not be done, and why.')
    .option('--queue <queue>', 'only of a queue')
    .option('--all', 'those that were retried or discarded, too')
    .option('--limit <count>', 'at most so many', readCount, 50);
  examples(command, 'taskflow admin dead-jobs');
  act<ListOptions>(command, (cli, { options: { queue = '', all: includeResolved = false, limit } }) =>
    showList(cli, {
      call: cli.taskflow.scheduler.listDeadJobs,
      request: { queue, includeResolved },
      limit,
      none: 'no dead jobs',
      columns: [
        { head: 'ID', cell: ({ id }: DeadJob) => id, style: () => 'dim' },
        { head: 'QUEUE', cell: (job) => job.queue },
        { head: 'JOB', cell: ({ name }) => oneLine(name) },
        { head: 'STATE', cell: ({ state }) => toWords(DeadJobState[state]) },
        { head: 'SINCE', cell: ({ createTime }) => showTime(createTime, cli.zone) },
        { head: 'ERROR', cell: ({ error }) => oneLine(error), flexible: true },
      ],
    }),
  );
}

export function registerDeadJobs(admin: Command): void {
  const dead = admin
    .command('dead-jobs')
    .summary('jobs that could not be done')
    .description('Jobs that could not be done, and wait for an administrator.');
  registerListing(dead);
  const retry = dead
    .command('retry')
    .summary('try a dead job again')
    .description('Tries a dead job again.')
    .argument('<id>', 'of the dead job');
  examples(retry, 'taskflow admin dead-jobs retry ID');
  act(retry, async (cli, { args: [deadJobId = ''] }) => {
    const answer = await cli.taskflow.scheduler.retryDeadJob({ deadJobId, requestId: randomUUID() });
    cli.out.answer(RetryDeadJobResponseSchema, answer, () => `${deadJobId} is tried again`);
  });
  const discard = dead
    .command('discard')
    .summary('give a dead job up')
    .description('Gives a dead job up.')
    .argument('<id>', 'of the dead job');
  examples(discard, 'taskflow admin dead-jobs discard ID');
  act(discard, async (cli, { args: [deadJobId = ''] }) => {
    const answer = await cli.taskflow.scheduler.discardDeadJob({ deadJobId, requestId: randomUUID() });
    cli.out.answer(DiscardDeadJobResponseSchema, answer, () => `${deadJobId} is given up`);
  });
}
