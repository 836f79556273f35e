import { randomUUID } from 'node:crypto';
import { InvalidArgumentError, type Command } from 'commander';
import { TaskEventType, type DeadLetterEvent } from '#client/scheduler';
import { act, examples } from '../../action.ts';
import { showList } from '../../output/lists.ts';
import { oneLine, toWords } from '../../output/text.ts';
import { showTime } from '../../output/times.ts';

function readEventId(text: string): bigint {
  if (!/^\d{1,18}$/.test(text)) throw new InvalidArgumentError('It is a number.');
  return BigInt(text);
}

export function registerDeadLetterEvents(admin: Command): void {
  const events = admin
    .command('dead-events')
    .summary('events that could not be handled')
    .description('Events that could not be handled, and wait for an administrator.');
  const list = events
    .command('ls', { isDefault: true })
    .summary('list dead-letter events')
    .description('Lists the events that could not be handled, and why.');
  examples(list, 'taskflow admin dead-events');
  act(list, (cli) =>
    showList(cli, {
      call: cli.taskflow.scheduler.listDeadLetterEvents,
      request: {},
      none: 'no dead-letter events',
      columns: [
        { head: 'EVENT', cell: ({ eventId }: DeadLetterEvent) => String(eventId) },
        { head: 'WHAT', cell: ({ type }) => toWords(TaskEventType[type]) },
        { head: 'TASK', cell: ({ taskId }) => taskId, style: () => 'dim' },
        { head: 'SINCE', cell: ({ deadLetterTime }) => showTime(deadLetterTime, cli.zone) },
        { head: 'ERROR', cell: ({ error }) => oneLine(error), flexible: true },
      ],
    }),
  );
  const retry = events
    .command('retry')
    .summary('handle an event again')
    .description('Handles an event again.')
    .argument('<event>', 'its number', readEventId);
  examples(retry, 'taskflow admin dead-events retry ID');
  act(retry, async (cli, { args }) => {
    const [eventId] = args as unknown as [bigint];
    await cli.taskflow.scheduler.retryDeadLetterEvent({ eventId, requestId: randomUUID() });
    cli.out.answerPlain({ retriedEventId: String(eventId) }, () => `event ${eventId} was handled`);
  });
  const discard = events
    .command('discard')
    .summary('give an event up')
    .description('Gives an event up.')
    .argument('<event>', 'its number', readEventId);
  examples(discard, 'taskflow admin dead-events discard ID');
  act(discard, async (cli, { args }) => {
    const [eventId] = args as unknown as [bigint];
    await cli.taskflow.scheduler.discardDeadLetterEvent({ eventId, requestId: randomUUID() });
    cli.out.answerPlain({ discardedEventId: String(eventId) }, () => `event ${eventId} is given up`);
  });
}
