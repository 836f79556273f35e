import type { Command } from 'commander';
import { GetTaskResponseSchema } from '#client/tasks';
import { act, examples } from '../action.ts';
import { resolveTask } from '../input/short-ids.ts';
import { showTask } from './show-task.ts';

export function registerShow(program: Command): void {
  const command = program
    .command('show')
    .summary('show a task')
    .description('Shows all that there is to see of a task.')
    .argument('<id>', 'of the task, or the beginning or end of it');
  examples(command, 'taskflow show ID');
  act(command, async (cli, { args: [typed = ''] }) => {
    const answer = await cli.taskflow.tasks.getTask({ taskId: await resolveTask(typed, cli.taskflow) });
    const { task } = answer;
    cli.out.answer(GetTaskResponseSchema, answer, () => (task === undefined ? '' : showTask(task, cli)));
  });
}
