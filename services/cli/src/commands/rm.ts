import { randomUUID } from 'node:crypto';
import type { Command } from 'commander';
import { act, examples } from '../action.ts';
import { changeTasks } from './change-tasks.ts';

export function registerRemove(program: Command): void {
  const command = program
    .command('rm')
    .summary('delete tasks')
    .description('Deletes tasks. "taskflow restore" brings them back for as long as the server keeps them.')
    .argument('<ids...>', 'of the tasks, or beginnings or ends of them');
  examples(command, 'taskflow rm ID');
  act(command, (cli, { args }) =>
    changeTasks(cli, args, {
      change: async (taskId) => {
        await cli.taskflow.tasks.deleteTask({ taskId, requestId: randomUUID() });
        cli.out.line(
          () => ({ deletedTaskId: taskId }),
          () => `deleted ${taskId}; "taskflow restore ${taskId}" brings it back`,
        );
      },
    }),
  );
}
