import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { timestampMs } from '@bufbuild/protobuf/wkt';
import { ScheduleRunState, type Schedule, type ScheduleRun } from '#client/scheduler';
import { Button } from '../ui/button.tsx';
import { Empty, ErrorNotice, Loading } from '../ui/notice.tsx';
import { Paged, usePaged } from '../ui/paged.tsx';
import { Section, Table } from '../ui/table.tsx';
import { Moment, When } from '../ui/when.tsx';
import { durationInWords } from './durations.ts';
import { scheduler } from './services.ts';
import { useAction } from './use-action.ts';

const queryKey = ['schedules'];

function rhythmOf({ recurrence }: Schedule): string {
  if (recurrence.case === 'interval') return `every ${durationInWords(recurrence.value)}`;
  if (recurrence.case === 'cron') return `${recurrence.value.expression} (${recurrence.value.timeZone || 'UTC'})`;
  return '';
}

/** The next ones, as the scheduler itself counts them. */
function NextTimes({ schedule }: { schedule: Schedule }) {
  const { data, error } = useQuery({
    queryKey: [...queryKey, 'next', schedule.id, schedule.etag],
    queryFn: async ({ signal }) =>
      (await scheduler.previewSchedule({ recurrence: schedule.recurrence, fireTimeCount: 5 }, { signal })).fireTimes,
  });
  if (error !== null) return <ErrorNotice error={error} />;
  if (data === undefined) return <Loading rows={1} />;
  return (
    <p className="row small">
      <span className="faint">Fires next</span>
      {data.map((time) => (
        <span key={timestampMs(time)} className="badge">
          <Moment ms={timestampMs(time)} exact />
        </span>
      ))}
    </p>
  );
}

const runStates: Partial<Record<ScheduleRunState, { label: string; tone: string }>> = {
  [ScheduleRunState.PENDING]: { label: 'Waiting', tone: '' },
  [ScheduleRunState.RUNNING]: { label: 'Running', tone: 'info' },
  [ScheduleRunState.SUCCEEDED]: { label: 'Done', tone: 'good' },
  [ScheduleRunState.DEAD]: { label: 'Failed', tone: 'danger' },
};

function Runs({ scheduleId }: { scheduleId: string }) {
  const paged = usePaged<ScheduleRun>({
    queryKey: [...queryKey, 'runs', scheduleId],
    fetchPage: async (pageToken, signal) => {
      const { runs, nextPageToken } = await scheduler.listScheduleRuns(
        { scheduleId, pageToken, pageSize: 10 },
        { signal },
      );
      return { items: runs, nextPageToken };
    },
    refetchMs: 3000,
  });
  return (
    <Paged paged={paged} empty={<Empty icon="history" title="It has not run yet" />}>
      {(runs) => (
        <Table label="Runs" columns={['Fire time', 'State', 'Result']}>
          {runs.map((run) => {
            const { label, tone } = runStates[run.state] ?? { label: 'Unknown', tone: '' };
            return (
              <tr key={run.id}>
                <td>{run.fireTime !== undefined && <Moment ms={timestampMs(run.fireTime)} exact />}</td>
                <td>
                  <span className={`badge ${tone}`}>{label}</span>
                </td>
                <td className="wrap">{run.result}</td>
              </tr>
            );
          })}
        </Table>
      )}
    </Paged>
  );
}

function Last({ schedule: { lastRunTime, lastResult, lastRunFailed } }: { schedule: Schedule }) {
  if (lastRunTime === undefined) return <p className="small faint">It has not run yet.</p>;
  return (
    <p className="small">
      <span className="faint">
        Ran <When ms={timestampMs(lastRunTime)} />:
      </span>{' '}
      <span className={lastRunFailed ? 'field-error' : ''}>{lastResult || 'done'}</span>
    </p>
  );
}

function ScheduleCard({ schedule }: { schedule: Schedule }) {
  const [shown, setShown] = useState(false);
  const { run, isPending } = useAction(queryKey);
  const { id: scheduleId, etag, paused } = schedule;
  return (
    <Section
      title={schedule.description.replace(/\.$/, '') || scheduleId}
      lead={
        <>
          <code>{scheduleId}</code> · {rhythmOf(schedule)}
        </>
      }
      actions={
        <>
          {schedule.builtIn && <span className="badge">Built in</span>}
          <span className={`badge ${paused ? 'warn' : 'good'}`}>{paused ? 'Paused' : 'On'}</span>
          <Button
            compact
            busy={isPending}
            onClick={() => run('It runs now', () => scheduler.triggerSchedule({ scheduleId }))}
          >
            Run now
          </Button>
          <Button
            compact
            onClick={() =>
              paused
                ? run('It goes on', () => scheduler.resumeSchedule({ scheduleId, etag }))
                : run('It is paused', () => scheduler.pauseSchedule({ scheduleId, etag }))
            }
          >
            {paused ? 'Resume' : 'Pause'}
          </Button>
        </>
      }
    >
      <Last schedule={schedule} />
      {!paused && <NextTimes schedule={schedule} />}
      <span>
        <Button compact look="quiet" aria-expanded={shown} onClick={() => setShown(!shown)}>
          {shown ? 'Hide runs' : 'Show runs'}
        </Button>
      </span>
      {shown && <Runs scheduleId={scheduleId} />}
    </Section>
  );
}

export function Schedules() {
  const paged = usePaged<Schedule>({
    queryKey,
    fetchPage: async (pageToken, signal) => {
      const { schedules, nextPageToken } = await scheduler.listSchedules({ pageToken }, { signal });
      return { items: schedules, nextPageToken };
    },
    refetchMs: 10_000,
  });
  return (
    <Paged paged={paged} empty={<Empty icon="clock" title="No schedules" />}>
      {(schedules) => schedules.map((one) => <ScheduleCard key={one.id} schedule={one} />)}
    </Paged>
  );
}
