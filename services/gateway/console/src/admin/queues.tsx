import { timestampMs } from '@bufbuild/protobuf/wkt';
import type { DeadJob, DeadLetterEvent, Queue } from '#client/scheduler';
import { Button } from '../ui/button.tsx';
import { Empty } from '../ui/notice.tsx';
import { Paged, usePaged } from '../ui/paged.tsx';
import { Section, Table } from '../ui/table.tsx';
import { When } from '../ui/when.tsx';
import { durationInWords } from './durations.ts';
import { scheduler } from './services.ts';
import { useAction } from './use-action.ts';

const queryKey = ['queues'];
const refetchMs = 3000;

function stateOf({ reachable, paused }: Queue): { label: string; tone: string } {
  if (!reachable) return { label: 'Redis is away', tone: 'danger' };
  return paused ? { label: 'Paused', tone: 'warn' } : { label: 'On', tone: 'good' };
}

function QueueRow({ queue }: { queue: Queue }) {
  const { run, isPending } = useAction(queryKey);
  const { label, tone } = stateOf(queue);
  const { name, etag, paused } = queue;
  return (
    <tr>
      <td>
        <strong>{name}</strong>
      </td>
      <td>
        <span className={`badge ${tone}`}>{label}</span>
      </td>
      <td className="number">{String(queue.waitingCount)}</td>
      <td className="number">{String(queue.activeCount)}</td>
      <td className="number">{String(queue.delayedCount)}</td>
      <td className="number">{String(queue.deadCount)}</td>
      <td className="number">{queue.completedPerMinute.toFixed(1)}</td>
      <td>{queue.waitingCount > 0n ? durationInWords(queue.oldestWaitingAge) : ''}</td>
      <td className="end">
        <Button
          compact
          busy={isPending}
          aria-label={`${paused ? 'Resume' : 'Pause'} ${name}`}
          onClick={() =>
            paused
              ? run(`${name} goes on`, () => scheduler.resumeQueue({ queue: name, etag }))
              : run(`${name} is paused`, () => scheduler.pauseQueue({ queue: name, etag }))
          }
        >
          {paused ? 'Resume' : 'Pause'}
        </Button>
      </td>
    </tr>
  );
}

const columns = ['Queue', 'State', 'Waiting', 'Active', 'Delayed', 'Dead', 'Done a minute', 'Oldest waits', ''];

function DeadJobRow({ job }: { job: DeadJob }) {
  const { run, isPending } = useAction(queryKey);
  const deadJobId = job.id;
  return (
    <tr>
      <td>
        <strong>{job.name}</strong>
        <div className="faint mono">{job.jobId}</div>
      </td>
      <td className="wrap">{job.error}</td>
      <td className="number">{job.attemptCount}</td>
      <td>{job.createTime !== undefined && <When ms={timestampMs(job.createTime)} />}</td>
      <td className="end">
        <Button compact busy={isPending} onClick={() => run('It is tried again', () => scheduler.retryDeadJob({ deadJobId }))}>
          Retry
        </Button>{' '}
        <Button
          compact
          look="danger"
          onClick={() => run('It is discarded', () => scheduler.discardDeadJob({ deadJobId }))}
        >
          Discard
        </Button>
      </td>
    </tr>
  );
}

function DeadJobs() {
  const paged = usePaged<DeadJob>({
    queryKey: [...queryKey, 'dead'],
    fetchPage: async (pageToken, signal) => {
      const { deadJobs, nextPageToken } = await scheduler.listDeadJobs({ pageToken }, { signal });
      return { items: deadJobs, nextPageToken };
    },
    refetchMs,
  });
  return (
    <Section title="Dead jobs" lead="Jobs that failed too often. They wait for somebody to decide.">
      <Paged paged={paged} empty={<Empty icon="check" title="None: every job got through" />}>
        {(jobs) => (
          <Table label="Dead jobs" columns={['Job', 'Error', 'Attempts', 'Since', '']}>
            {jobs.map((job) => (
              <DeadJobRow key={job.id} job={job} />
            ))}
          </Table>
        )}
      </Paged>
    </Section>
  );
}

function DeadEventRow({ event: { eventId, taskId, error, deadLetterTime } }: { event: DeadLetterEvent }) {
  const { run, isPending } = useAction(queryKey);
  return (
    <tr>
      <td className="mono">{String(eventId)}</td>
      <td className="mono wrap">{taskId}</td>
      <td className="wrap">{error}</td>
      <td>{deadLetterTime !== undefined && <When ms={timestampMs(deadLetterTime)} />}</td>
      <td className="end">
        <Button
          compact
          busy={isPending}
          onClick={() => run('It is tried again', () => scheduler.retryDeadLetterEvent({ eventId }))}
        >
          Retry
        </Button>{' '}
        <Button
          compact
          look="danger"
          onClick={() => run('It is discarded', () => scheduler.discardDeadLetterEvent({ eventId }))}
        >
          Discard
        </Button>
      </td>
    </tr>
  );
}

function DeadEvents() {
  const paged = usePaged<DeadLetterEvent>({
    queryKey: [...queryKey, 'events'],
    fetchPage: async (pageToken, signal) => {
      const answer = await scheduler.listDeadLetterEvents({ pageToken }, { signal });
      return { items: answer.deadLetterEvents, nextPageToken: answer.nextPageToken };
    },
    refetchMs,
  });
  return (
    <Section title="Dead-letter events" lead="Changes of tasks that could not be handled.">
      <Paged paged={paged} empty={<Empty icon="check" title="None: every event was handled" />}>
        {(events) => (
          <Table label="Dead-letter events" columns={['Event', 'Task', 'Error', 'Since', '']}>
            {events.map((event) => (
              <DeadEventRow key={String(event.eventId)} event={event} />
            ))}
          </Table>
        )}
      </Paged>
    </Section>
  );
}

export function Queues() {
  const paged = usePaged<Queue>({
    queryKey: [...queryKey, 'list'],
    fetchPage: async (pageToken, signal) => {
      const { queues, nextPageToken } = await scheduler.listQueues({ pageToken }, { signal });
      return { items: queues, nextPageToken };
    },
    refetchMs,
  });
  return (
    <>
      <Section title="Queues">
        <Paged paged={paged} empty={<Empty icon="list" title="No queues" />}>
          {(queues) => (
            <Table label="Queues" columns={columns}>
              {queues.map((queue) => (
                <QueueRow key={queue.name} queue={queue} />
              ))}
            </Table>
          )}
        </Paged>
      </Section>
      <DeadJobs />
      <DeadEvents />
    </>
  );
}
