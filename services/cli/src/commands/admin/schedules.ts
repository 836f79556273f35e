import { randomUUID } from 'node:crypto';
import type { Command } from 'commander';
import { durationMs } from '@bufbuild/protobuf/wkt';
import {
  PauseScheduleResponseSchema,
  ResumeScheduleResponseSchema,
  ScheduleRunState,
  TriggerScheduleResponseSchema,
  type Schedule,
  type ScheduleRun,
} from '#client/scheduler';
import { act, examples } from '../../action.ts';
import { readCount } from '../../input/choices.ts';
import { showList } from '../../output/lists.ts';
import { oneLine, toWords } from '../../output/text.ts';
import { showTime } from '../../output/times.ts';
import { registerScheduleChanges } from './schedule-changes.ts';

function describe({ recurrence }: Schedule): string {
  if (recurrence.case === 'interval') return `every ${durationMs(recurrence.value) / 1000} s`;
  return recurrence.case === 'cron' ? `${recurrence.value.expression} ${recurrence.value.timeZone}` : '';
}

function registerListing(schedules: Command): void {
  const command = schedules
    .command('ls', { isDefault: true })
    .summary('list schedules')
    .description('Lists what runs by itself, and how it went last.');
  examples(command, 'taskflow admin schedules');
  act(command, (cli) =>
    showList(cli, {
      call: cli.taskflow.scheduler.listSchedules,
      request: {},
      none: 'no schedules',
      columns: [
        { head: 'SCHEDULE', cell: ({ id }: Schedule) => id },
        { head: 'WHEN', cell: describe },
        { head: 'LAST', cell: ({ lastRunTime }) => showTime(lastRunTime, cli.zone) },
        {
          head: 'RESULT',
          cell: ({ lastResult }) => oneLine(lastResult),
          flexible: true,
          style: ({ lastRunFailed }) => (lastRunFailed ? 'red' : undefined),
        },
        { head: 'NEXT', cell: ({ paused, nextRunTime }) => (paused ? 'paused' : showTime(nextRunTime, cli.zone)) },
      ],
    }),
  );
}

function registerRuns(schedules: Command): void {
  const command = schedules
    .command('runs')
    .summary('list the runs of a schedule')
    .description('Lists the runs of a schedule, the latest first.')
    .argument('<schedule>', 'as "taskflow admin schedules" shows it')
    .option('--limit <count>', 'at most so many', readCount, 20);
  examples(command, 'taskflow admin schedules runs overdue-sweep --limit 5');
  act<{ limit: number }>(command, (cli, { args: [scheduleId = ''], options: { limit } }) =>
    showList(cli, {
      call: cli.taskflow.scheduler.listScheduleRuns,
      request: { scheduleId },
      limit,
      none: 'no runs',
      columns: [
        { head: 'RUN', cell: ({ id }: ScheduleRun) => id, style: () => 'dim' },
        { head: 'FOR', cell: ({ fireTime }) => showTime(fireTime, cli.zone) },
        { head: 'STATE', cell: ({ state }) => toWords(ScheduleRunState[state]) },
        { head: 'RESULT', cell: ({ result }) => oneLine(result), flexible: true },
      ],
    }),
  );
}

function registerChanges(schedules: Command): void {
  const pause = schedules
    .command('pause')
    .summary('stop a schedule for now')
    .description('Stops a schedule until it is resumed.')
    .argument('<schedule>', 'as "taskflow admin schedules" shows it');
  examples(pause, 'taskflow admin schedules pause pruning');
  act(pause, async (cli, { args: [scheduleId = ''] }) => {
    const answer = await cli.taskflow.scheduler.pauseSchedule({ scheduleId, requestId: randomUUID() });
    cli.out.answer(PauseScheduleResponseSchema, answer, () => `${scheduleId} is paused`);
  });
  const resume = schedules
    .command('resume')
    .summary('let a schedule go on')
    .description('Lets a paused schedule go on.')
    .argument('<schedule>', 'as "taskflow admin schedules" shows it');
  examples(resume, 'taskflow admin schedules resume pruning');
  act(resume, async (cli, { args: [scheduleId = ''] }) => {
    const answer = await cli.taskflow.scheduler.resumeSchedule({ scheduleId, requestId: randomUUID() });
    cli.out.answer(ResumeScheduleResponseSchema, answer, () => `${scheduleId} goes on`);
  });
  const trigger = schedules
    .command('run')
    .summary('run a schedule now')
    .description('Runs a schedule now, beside its times.')
    .argument('<schedule>', 'as "taskflow admin schedules" shows it');
  examples(trigger, 'taskflow admin schedules run overdue-sweep');
  act(trigger, async (cli, { args: [scheduleId = ''] }) => {
    const answer = await cli.taskflow.scheduler.triggerSchedule({ scheduleId, requestId: randomUUID() });
    const waits = answer.waitsFor === '' ? '' : `, which waits for ${answer.waitsFor}`;
    cli.out.answer(TriggerScheduleResponseSchema, answer, () => `run ${answer.runId}${waits}`);
  });
}

export function registerSchedules(admin: Command): void {
  const schedules = admin
    .command('schedules')
    .summary('what runs by itself')
    .description('What runs by itself, such as the sweep for overdue tasks.');
  registerListing(schedules);
  registerRuns(schedules);
  registerChanges(schedules);
  registerScheduleChanges(schedules);
}
