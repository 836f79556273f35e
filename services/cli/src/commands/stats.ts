import type { Command } from 'commander';
import { GetTaskStatsResponseSchema } from '#client/tasks';
import { act, examples } from '../action.ts';
import { paint } from '../output/text.ts';

export function registerStats(program: Command): void {
  const command = program
    .command('stats')
    .summary('count your tasks')
    .description('Counts the tasks that you own or are assigned to, by status and priority. The counts are exact.');
  examples(command, 'taskflow stats', 'taskflow stats --json');
  act(command, async (cli) => {
    const answer = await cli.taskflow.tasks.getTaskStats({});
    const { stats } = answer;
    if (stats === undefined) return;
    const rows: [string, bigint][] = [
      ['pending', stats.pendingCount],
      ['in progress', stats.inProgressCount],
      ['completed', stats.completedCount],
      ['cancelled', stats.cancelledCount],
      ['all', stats.totalCount],
      ['overdue', stats.overdueCount],
      ['open, urgent', stats.openUrgentCount],
      ['open, high', stats.openHighCount],
      ['open, medium', stats.openMediumCount],
      ['open, low', stats.openLowCount],
    ];
    const width = Math.max(...rows.map(([, count]) => String(count).length));
    cli.out.answer(GetTaskStatsResponseSchema, answer, () =>
      rows.map(([name, count]) => `${paint('dim', name.padEnd(13))}${String(count).padStart(width)}`).join('\n'),
    );
  });
}
