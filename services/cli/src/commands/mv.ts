import { randomUUID } from 'node:crypto';
import { Option, type Command } from 'commander';
import { toJson } from '#client/index';
import { MoveTaskResponseSchema } from '#client/tasks';
import { act, examples } from '../action.ts';
import { UsageError } from '../faults.ts';
import { resolveProject } from '../input/projects.ts';
import { changeTasks } from './change-tasks.ts';
import { describeTask } from './show-task.ts';

interface MoveOptions {
  project?: string;
  out?: boolean;
}

export function registerMove(program: Command): void {
  const command = program
    .command('mv')
    .summary('move tasks into a project, or out of it')
    .description(
      'Moves tasks into a project or, with --out, out of theirs. They get a new number there; comments and history go ' +
        'with them. Where owner or assignee is no member of the project, the task becomes yours, or nobody is assigned.',
    )
    .argument('<ids...>', 'of the tasks, or beginnings or ends of them')
    .option('--project <project>', 'key or id of the project that they come into')
    .addOption(new Option('--out', 'into no project: to their owners').conflicts('project'));
  examples(command, 'taskflow mv ID --project WEB', 'taskflow mv ID --out');
  act<MoveOptions>(command, async (cli, { args, options: { project, out = false } }) => {
    if (project === undefined && !out) throw new UsageError('say where to: --project or --out');
    const projectId = project === undefined ? '' : await resolveProject(project, cli.taskflow);
    await changeTasks(cli, args, {
      change: async (taskId) => {
        const answer = await cli.taskflow.tasks.moveTask({ taskId, projectId, requestId: randomUUID() });
        cli.out.line(
          () => toJson(MoveTaskResponseSchema, answer),
          () => `moved ${answer.task?.key ? `to ${answer.task.key}: ` : ''}${describeTask(answer.task, cli)}`,
        );
      },
    });
  });
}
