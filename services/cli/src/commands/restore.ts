import { randomUUID } from 'node:crypto';
import type { Command } from 'commander';
import { toJson } from '#client/index';
import { UndeleteTaskResponseSchema } from '#client/tasks';
import { act, examples } from '../action.ts';
import { changeTasks } from './change-tasks.ts';
import { describeTask } from './show-task.ts';

export function registerRestore(program: Command): void {
  const command = program
    .command('restore')
    .summary('bring deleted tasks back')
    .description('Brings deleted tasks back. "taskflow ls --deleted" shows them.')
    .argument('<ids...>', 'of the tasks, or beginnings or ends of them');
  examples(command, 'taskflow restore ID');
  act(command, (cli, { args }) =>
    changeTasks(cli, args, {
      showDeleted: true,
      change: async (taskId) => {
        const answer = await cli.taskflow.tasks.undeleteTask({ taskId, requestId: randomUUID() });
        cli.out.line(
          () => toJson(UndeleteTaskResponseSchema, answer),
          () => `restored ${describeTask(answer.task, cli)}`,
        );
      },
    }),
  );
}
