import type { Command } from 'commander';
import { toJson, watchTasks, type TaskUpdate } from '#client/index';
import { TaskEventSchema, TaskEventType, TaskSchema, type TaskChange } from '#client/tasks';
import { act, examples } from '../action.ts';
import type { Cli } from '../cli.ts';
import { readCount } from '../input/choices.ts';
import { oneLine, toWords } from '../output/text.ts';
import { showTime } from '../output/times.ts';

interface WatchOptions {
  all?: boolean;
  limit?: number;
}

/** JSON has no numbers as large as those of events. */
function toJsonLine(update: TaskUpdate): object | undefined {
  if (update.kind === 'event')
    return { kind: 'event', event: toJson(TaskEventSchema, update.event), removed: update.removed };
  if (update.kind === 'list')
    return {
      kind: 'list',
      cause: update.cause,
      tasks: update.tasks.map((task) => toJson(TaskSchema, task)),
      removedTaskIds: update.removedTaskIds,
    };
  return update.kind === 'gap' ? { kind: 'gap', sequences: update.sequences.map(String) } : undefined;
}

function toLines(update: TaskUpdate, { zone }: Cli): string | undefined {
  if (update.kind === 'list')
    return [
      ...update.tasks.map(({ id, title }) => `${'listed'.padEnd(10)}${id} ${oneLine(title)}`),
      ...update.removedTaskIds.map((id) => `${'removed'.padEnd(10)}${id}`),
    ].join('\n');
  if (update.kind !== 'event') return undefined;
  const { type, taskId, createTime, change } = update.event;
  const what = update.removed ? 'removed' : toWords(TaskEventType[type]);
  return `${showTime(createTime, zone)}  ${what.padEnd(10)}${taskId} ${titleOf(change)}`;
}

/** With what is said of the task, if it is that. */
function titleOf(change: TaskChange | undefined): string {
  const title = oneLine((change?.after ?? change?.before)?.title ?? '');
  const said = oneLine(change?.comment?.text ?? '');
  return said === '' ? title : `${title}: ${said}`;
}

export function registerWatch(program: Command): void {
  const command = program
    .command('watch')
    .summary('follow the changes of your tasks')
    .description(
      'Shows the changes of your tasks as they happen, until Ctrl-C. Nothing is missed when a connection breaks. ' +
        'With --json, a line of JSON for each.',
    )
    .option('--all', 'begins with all tasks')
    .option('--limit <count>', 'ends after so many lines of changes', readCount);
  examples(command, 'taskflow watch --all --limit 1', 'taskflow watch --all --limit 1 --json');
  act<WatchOptions>(command, async (cli, { options: { all = false, limit = Infinity } }) => {
    let shown = 0;
    let isBroken = false;
    const updates = watchTasks(cli.taskflow.tasks, {
      start: all ? 'list' : 'now',
      signal: cli.signal,
      onInterrupt: (error) => {
        isBroken = true;
        cli.out.note(`connecting again${error === undefined ? '' : `: ${error.message}`}`);
      },
    });
    cli.out.note('watching; Ctrl-C ends it');
    for await (const update of updates) {
      if (isBroken) cli.out.note('connected');
      isBroken = false;
      const text = toLines(update, cli);
      const json = toJsonLine(update);
      if (json === undefined) continue;
      cli.out.line(
        () => json,
        () => text ?? '',
      );
      shown += 1;
      if (shown >= limit) return;
    }
  });
}
