import type { Command } from 'commander';
import { ExplainOverdueResponseSchema, OverdueExplanation } from '#client/scheduler';
import { act, examples } from '../../action.ts';
import { resolveTask } from '../../input/short-ids.ts';
import { oneLine, toWords } from '../../output/text.ts';

export function registerExplain(admin: Command): void {
  const command = admin
    .command('explain')
    .summary('why a task told nobody that it is overdue')
    .description('Explains how far the news came that a task is overdue, to whom it went, and what holds it up.')
    .argument('<task-id>', 'its id; of a task that is not yours the whole one');
  examples(command, 'taskflow admin explain ID');
  act(command, async (cli, { args: [typed = ''] }) => {
    const taskId = await resolveTask(typed, cli.taskflow);
    const answer = await cli.taskflow.scheduler.explainOverdue({ taskId });
    cli.out.answer(ExplainOverdueResponseSchema, answer, () =>
      [
        `${toWords(OverdueExplanation[answer.explanation])}: ${oneLine(answer.message)}`,
        ...answer.notifications.map(
          ({ recipientId, explanation, message }) =>
            `  ${recipientId}  ${toWords(OverdueExplanation[explanation])}: ${oneLine(message)}`,
        ),
      ].join('\n'),
    );
  });
}
