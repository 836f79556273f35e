import { useQuery } from '@tanstack/react-query';
import { useState, type FormEvent } from 'react';
import { useSearchParams } from 'wouter';
import { timestampMs } from '@bufbuild/protobuf/wkt';
import { DeliveryChannel, DeliveryOutcome, type ExplainOverdueResponse, type OverdueNotification } from '#client/scheduler';
import { statusLabel } from '../tasks/words.ts';
import { Button } from '../ui/button.tsx';
import { Chain, type ChainStep } from '../ui/chain.tsx';
import { TextField } from '../ui/field.tsx';
import { Empty, ErrorNotice, Loading } from '../ui/notice.tsx';
import { Section } from '../ui/table.tsx';
import { Moment, When } from '../ui/when.tsx';
import { scheduler } from './services.ts';

function stepOfDue({ due }: ExplainOverdueResponse): ChainStep {
  if (due?.dueTime === undefined)
    return { tone: '', icon: 'calendar', title: 'No due time', body: 'It cannot be overdue.' };
  const ms = timestampMs(due.dueTime);
  const isPast = due.currentTime !== undefined && ms <= timestampMs(due.currentTime);
  const body = (
    <>
      <Moment ms={ms} />, <When ms={ms} />. The task is {statusLabel(due.status).toLowerCase()}.
    </>
  );
  return { tone: isPast ? 'good' : 'warn', icon: 'calendar', title: isPast ? 'Its due time passed' : 'Not due yet', body };
}

function stepOfSweep({ sweep }: ExplainOverdueResponse): ChainStep {
  if (sweep === undefined) return { tone: 'warn', icon: 'search', title: 'Nothing is known of the sweep', body: null };
  const { overdueTime, lastRunTime, lastResult, lastRunFailed, paused } = sweep;
  if (overdueTime !== undefined) {
    const body = <Moment ms={timestampMs(overdueTime)} />;
    return { tone: 'good', icon: 'search', title: 'The sweep found it', body };
  }
  const last = lastRunTime && (
    <>
      It ran last <When ms={timestampMs(lastRunTime)} />: {lastResult}
    </>
  );
  return {
    tone: paused || lastRunFailed ? 'danger' : 'warn',
    icon: 'search',
    title: paused ? 'The sweep is paused' : 'The sweep has not found it',
    body: last ?? 'It has not run yet.',
  };
}

function stepOfEvent({ event }: ExplainOverdueResponse): ChainStep | undefined {
  if (event === undefined) return undefined;
  const time = event.createTime === undefined ? null : <Moment ms={timestampMs(event.createTime)} />;
  if (event.deadLettered)
    return { tone: 'danger', icon: 'warning', title: 'Its event could not be handled', body: time };
  return event.pulled
    ? { tone: 'good', icon: 'check', title: 'The scheduler heard of it', body: time }
    : { tone: 'warn', icon: 'clock', title: 'The scheduler has not heard of it yet', body: time };
}

const good: readonly DeliveryOutcome[] = [DeliveryOutcome.DELIVERED, DeliveryOutcome.DIGESTED, DeliveryOutcome.QUEUED];

function stepOfNotification(notification: OverdueNotification): ChainStep {
  const { deliveries, message } = notification;
  const isDead = deliveries.some(({ outcome }) => outcome === DeliveryOutcome.DEAD);
  const isGood = deliveries.some(({ outcome }) => good.includes(outcome));
  return {
    tone: isDead ? 'danger' : isGood ? 'good' : 'warn',
    icon: 'bell',
    title: message,
    body: (
      <span className="row">
        <code>{notification.recipientId}</code>
        {deliveries.map(({ channel, outcome, error }) => (
          <span key={channel} className={`badge ${good.includes(outcome) ? 'good' : 'warn'}`} title={error}>
            {DeliveryChannel[channel]?.toLowerCase()}: {DeliveryOutcome[outcome]?.toLowerCase()}
          </span>
        ))}
      </span>
    ),
  };
}

/** The way of a report, from the due time to each person, as far as it has come. */
const stepsOf = (answer: ExplainOverdueResponse): ChainStep[] =>
  [stepOfDue(answer), stepOfSweep(answer), stepOfEvent(answer), ...answer.notifications.map(stepOfNotification)].flatMap(
    (step) => step ?? [],
  );

/** A whole link to a task will do. */
const idIn = (text: string): string => /[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/i.exec(text)?.[0] ?? text.trim();

export function ExplainOverdue() {
  const [search, setSearch] = useSearchParams();
  const taskId = search.get('task') ?? '';
  const [text, setText] = useState(taskId);
  const { data, error, isFetching, refetch } = useQuery({
    queryKey: ['explain', taskId],
    queryFn: ({ signal }) => scheduler.explainOverdue({ taskId }, { signal }),
    enabled: taskId !== '',
  });
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    setSearch({ task: idIn(text) });
    void refetch();
  };
  return (
    <Section title="Why was a task reported overdue, or why not?" lead="The whole way, as it is at this moment.">
      <form className="row" onSubmit={submit} style={{ alignItems: 'flex-end' }}>
        <span className="grow">
          <TextField
            label="Task: its id, or a link to it"
            value={text}
            required
            onChange={({ target }) => setText(target.value)}
          />
        </span>
        <Button type="submit" look="primary" busy={isFetching}>
          Explain
        </Button>
      </form>
      {taskId === '' && (
        <Empty icon="help" title="Which task?">
          <p>Open it and choose “Why overdue, or not?” from its menu, or paste the link that “Copy link” gives.</p>
        </Empty>
      )}
      {error !== null && <ErrorNotice error={error} />}
      {isFetching && data === undefined && <Loading rows={4} />}
      {data !== undefined && (
        <>
          <p>
            <strong>{data.message}</strong>
          </p>
          <Chain steps={stepsOf(data)} />
        </>
      )}
    </Section>
  );
}
