import { randomUUID } from 'node:crypto';
import { Option, type Command } from 'commander';
import {
  CreateScheduleResponseSchema,
  DeleteScheduleResponseSchema,
  ScheduleJob,
  ScheduleOverlapPolicy,
} from '#client/scheduler';
import { act, examples } from '../../action.ts';
import { UsageError } from '../../faults.ts';
import { readChoice, wordsOf } from '../../input/choices.ts';
import { confirm } from '../../input/prompts.ts';
import { readSpan } from '../../input/spans.ts';
import { showTime } from '../../output/times.ts';

interface CreateOptions {
  job: ScheduleJob;
  every?: bigint;
  cron?: string;
  zone: string;
  overlap?: ScheduleOverlapPolicy;
  description: string;
}

const jobs = wordsOf(ScheduleJob);
const policies = wordsOf(ScheduleOverlapPolicy);

function recurrenceOf({ every, cron, zone }: CreateOptions) {
  if ((every === undefined) === (cron === undefined)) throw new UsageError('say one of --every and --cron');
  return cron === undefined
    ? ({ case: 'interval', value: { seconds: every ?? 0n } } as const)
    : ({ case: 'cron', value: { expression: cron, timeZone: zone } } as const);
}

function addRecurrence(command: Command): Command {
  return command
    .addOption(
      new Option('--every <span>', 'by the clock, such as 30s, 5m, 12h or 7d').argParser(
        readSpan(['s', 'm', 'h', 'd'], '30s, 5m, 12h or 7d'),
      ),
    )
    .option('--cron <expression>', 'by the calendar: minute, hour, day, month, day of week')
    .option('--zone <zone>', 'the time zone of --cron, such as Europe/Berlin', 'UTC');
}

function registerCreation(schedules: Command): void {
  const command = addRecurrence(
    schedules
      .command('create')
      .summary('make a schedule')
      .description('Makes a schedule. To change one, delete it and make it again.')
      .argument('<schedule>', 'its name: small letters, digits and hyphens')
      .addOption(
        new Option('--job <job>', `what it runs, required: ${jobs.join(', ')}`)
          .argParser((text) => readChoice<ScheduleJob>(ScheduleJob, jobs, text))
          .makeOptionMandatory(),
      ),
  )
    .addOption(
      new Option('--overlap <policy>', `while an earlier run has not ended: ${policies.join(', ')}`).argParser((text) =>
        readChoice<ScheduleOverlapPolicy>(ScheduleOverlapPolicy, policies, text),
      ),
    )
    .option('--description <text>', 'for people: what it is for', '');
  examples(
    command,
    'taskflow admin schedules create nightly --job prune-records --cron "30 3 * * *" --zone Europe/Berlin',
    'taskflow admin schedules create often --job sweep-overdue --every 5m',
  );
  act<CreateOptions>(command, async (cli, { args: [id = ''], options }) => {
    const { job, overlap: overlapPolicy, description } = options;
    const schedule = { id, job, overlapPolicy, description, recurrence: recurrenceOf(options) };
    const answer = await cli.taskflow.scheduler.createSchedule({ schedule, requestId: randomUUID() });
    const next = showTime(answer.schedule?.nextRunTime, cli.zone);
    cli.out.answer(CreateScheduleResponseSchema, answer, () => `${id} runs ${next === '' ? 'never' : `at ${next}`}`);
  });
}

function registerDeletion(schedules: Command): void {
  const command = schedules
    .command('delete')
    .summary('delete a schedule')
    .description('Deletes a schedule and its runs. Those that are built in can only be paused.')
    .argument('<schedule>', 'as "taskflow admin schedules" shows it')
    .option('--yes', 'does not ask whether you are sure');
  examples(command, 'taskflow admin schedules delete ID --yes');
  act<{ yes?: boolean }>(command, async (cli, { args: [scheduleId = ''], options: { yes = false } }) => {
    await confirm(`Delete the schedule ${scheduleId}?`, yes);
    const answer = await cli.taskflow.scheduler.deleteSchedule({ scheduleId, requestId: randomUUID() });
    cli.out.answer(DeleteScheduleResponseSchema, answer, () => `${scheduleId} is deleted`);
  });
}

export function registerScheduleChanges(schedules: Command): void {
  registerCreation(schedules);
  registerDeletion(schedules);
}
