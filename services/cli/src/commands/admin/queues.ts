import { randomUUID } from 'node:crypto';
import type { Command } from 'commander';
import { PauseQueueResponseSchema, ResumeQueueResponseSchema, type Queue } from '#client/scheduler';
import { act, examples } from '../../action.ts';
import { showList } from '../../output/lists.ts';

function stateOf({ paused, reachable }: Queue): string {
  if (!reachable) return 'out of reach';
  return paused ? 'paused' : 'running';
}

export function registerQueues(admin: Command): void {
  const queues = admin.command('queues').summary('the queues of jobs').description('The queues of jobs.');
  const list = queues
    .command('ls', { isDefault: true })
    .summary('list queues')
    .description('Lists the queues, with what waits, runs and died in them.');
  examples(list, 'taskflow admin queues');
  act(list, (cli) =>
    showList(cli, {
      call: cli.taskflow.scheduler.listQueues,
      request: {},
      none: 'no queues',
      columns: [
        { head: 'QUEUE', cell: ({ name }: Queue) => name },
        { head: 'STATE', cell: stateOf, style: ({ reachable, paused }) => (reachable && !paused ? undefined : 'red') },
        { head: 'WAITING', cell: ({ waitingCount }) => String(waitingCount) },
        { head: 'ACTIVE', cell: ({ activeCount }) => String(activeCount) },
        { head: 'DELAYED', cell: ({ delayedCount }) => String(delayedCount) },
        { head: 'DEAD', cell: ({ deadCount }) => String(deadCount) },
        { head: 'PER MINUTE', cell: ({ completedPerMinute }) => completedPerMinute.toFixed(1) },
      ],
    }),
  );
  const pause = queues
    .command('pause')
    .summary('hold a queue')
    .description('Holds a queue: its jobs wait.')
    .argument('<queue>', 'its name');
  examples(pause, 'taskflow admin queues pause notifications');
  act(pause, async (cli, { args: [queue = ''] }) => {
    const answer = await cli.taskflow.scheduler.pauseQueue({ queue, requestId: randomUUID() });
    cli.out.answer(PauseQueueResponseSchema, answer, () => `${queue} is paused`);
  });
  const resume = queues
    .command('resume')
    .summary('let a queue go on')
    .description('Lets a paused queue go on.')
    .argument('<queue>', 'its name');
  examples(resume, 'taskflow admin queues resume notifications');
  act(resume, async (cli, { args: [queue = ''] }) => {
    const answer = await cli.taskflow.scheduler.resumeQueue({ queue, requestId: randomUUID() });
    cli.out.answer(ResumeQueueResponseSchema, answer, () => `${queue} goes on`);
  });
}
