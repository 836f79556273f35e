import { randomUUID } from 'node:crypto';
import type { Command } from 'commander';
import { toJson } from '#client/index';
import { TaskStatus, UpdateTaskResponseSchema } from '#client/tasks';
import { act, examples } from '../action.ts';
import { changeTasks } from './change-tasks.ts';
import { describeTask } from './show-task.ts';

export function registerDone(program: Command): void {
  const command = program
    .command('done')
    .summary('complete tasks')
    .description('Completes tasks. With --json, a line of JSON for each.')
    .argument('<ids...>', 'of the tasks, or beginnings or ends of them');
  examples(command, 'taskflow done ID');
  act(command, (cli, { args }) =>
    changeTasks(cli, args, {
      change: async (id) => {
        const answer = await cli.taskflow.tasks.updateTask({
          task: { id, status: TaskStatus.COMPLETED },
          updateMask: { paths: ['status'] },
          requestId: randomUUID(),
        });
        cli.out.line(
          () => toJson(UpdateTaskResponseSchema, answer),
          () => `done ${describeTask(answer.task, cli)}`,
        );
      },
    }),
  );
}
