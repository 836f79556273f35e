import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { timestampMs } from '@bufbuild/protobuf/wkt';
import { Link } from 'wouter';
import { NotificationKind, type Notification } from '#client/scheduler';
import { TaskEventType, type Task, type TaskEvent } from '#client/tasks';
import { api } from '../api.ts';
import { useNameOf } from '../live/use-people.ts';
import { isAdmin, useMe } from '../session/use-session.ts';
import { Button } from '../ui/button.tsx';
import { Chain, type ChainStep } from '../ui/chain.tsx';
import { Icon } from '../ui/icon.tsx';
import { Moment, When } from '../ui/when.tsx';
import { agree } from './actions.ts';
import { inSentence } from './days.ts';
import { describeDue } from './due.ts';
import type { Viewer } from './filters.ts';
import { useHistory } from './use-history.ts';
import { isOpen, statusLabel } from './words.ts';

/** The change that gave the task the due time it has now. */
function findDueSetter(events: readonly TaskEvent[]): TaskEvent | undefined {
  return events.findLast(({ type, change }) => {
    const { before, after } = change ?? {};
    if (type === TaskEventType.CREATED) return after?.due.case !== undefined;
    return before !== undefined && after !== undefined && !agree(before, after, { due: undefined } as never);
  });
}

/** The latest report of the person's inbox about the task. */
function useReport({ id: taskId, overdue }: Task): Notification | undefined {
  const { data } = useQuery({
    queryKey: ['inbox', 'overdue', taskId, overdue],
    queryFn: async ({ signal }) => {
      const kinds = [NotificationKind.OVERDUE, NotificationKind.OVERDUE_DIGEST];
      const { notifications } = await api.notifications.listNotifications({ kinds, pageSize: 500 }, { signal });
      return notifications.find((one) => one.taskId === taskId) ?? null;
    },
  });
  return data ?? undefined;
}

interface Facts {
  task: Task;
  viewer: Viewer;
  events: readonly TaskEvent[];
  report: Notification | undefined;
  nameOf: (personId: string) => string;
}

function stepOfDue({ task, viewer, events, nameOf }: Facts): ChainStep {
  const setter = findDueSetter(events);
  return {
    tone: 'good',
    icon: 'calendar',
    title: `It was due ${inSentence(describeDue(task, viewer)?.text ?? '')}`,
    body: (
      <>
        {task.due.case === 'dueDay' && `The day ended at midnight in ${task.due.value.timeZone}. `}
        {setter?.createTime !== undefined && (
          <>
            {nameOf(setter.actor)} chose this <When ms={timestampMs(setter.createTime)} />.
          </>
        )}
      </>
    ),
  };
}

function stepOfStatus({ task, events }: Facts): ChainStep {
  const found = events.findLast(({ type }) => type === TaskEventType.OVERDUE);
  const status = found?.change?.after?.status ?? task.status;
  return {
    tone: 'good',
    icon: 'list',
    title: 'It was still open',
    body: isOpen(task.status)
      ? `Its status was “${statusLabel(status)}”.`
      : `Its status was “${statusLabel(status)}”; now it is “${statusLabel(task.status)}”.`,
  };
}

function stepOfSweep({ events }: Facts): ChainStep {
  const found = events.findLast(({ type }) => type === TaskEventType.OVERDUE);
  if (found?.createTime === undefined)
    return {
      tone: 'warn',
      icon: 'search',
      title: 'TaskFlow has not noticed it yet',
      body: 'It looks for overdue tasks all the time; this takes a moment.',
    };
  return {
    tone: 'good',
    icon: 'search',
    title: 'TaskFlow noticed it',
    body: <Moment ms={timestampMs(found.createTime)} exact />,
  };
}

function stepOfReport({ task, report }: Facts): ChainStep[] {
  if (report?.deliverTime === undefined) return [];
  return [
    {
      tone: 'good',
      icon: 'bell',
      title: 'You were told in your inbox',
      body: (
        <>
          <Moment ms={timestampMs(report.deliverTime)} exact />
          {task.due.case === 'dueDay' && '. Of whole days you hear at the hour that you chose in your settings'}
        </>
      ),
    },
  ];
}

/** How the task came to be reported overdue, from what everybody may know who sees it. */
function Explanation({ task, viewer, events }: Pick<Facts, 'task' | 'viewer' | 'events'>) {
  const me = useMe();
  const nameOf = useNameOf(viewer.id, task.projectId);
  const facts = { task, viewer, events, nameOf, report: useReport(task) };
  return (
    <>
      <Chain steps={[stepOfDue(facts), stepOfStatus(facts), stepOfSweep(facts), ...stepOfReport(facts)]} />
      {isAdmin(me) && (
        <Link className="small" href={`/admin/overdue?task=${task.id}`}>
          The whole way, with deliveries
        </Link>
      )}
    </>
  );
}

/** For a task that is overdue, or was reported as that: why. */
export function WhyOverdue({ task, viewer }: { task: Task; viewer: Viewer }) {
  const [shown, setShown] = useState(false);
  const { events } = useHistory(task);
  const isLate = describeDue(task, viewer)?.tone === 'late';
  const wasReported = events.some(({ type }) => type === TaskEventType.OVERDUE) && task.due.case !== undefined;
  if (!isLate && !wasReported) return null;
  return (
    <section className="why" aria-label="Why overdue">
      <div className="why-head">
        <Icon name="warning" size={16} />
        <h2 className="grow">{isLate ? 'Overdue' : 'Was reported overdue'}</h2>
        <Button compact look="quiet" aria-expanded={shown} onClick={() => setShown(!shown)}>
          {shown ? 'Hide' : 'Why?'}
        </Button>
      </div>
      {shown && <Explanation task={task} viewer={viewer} events={events} />}
    </section>
  );
}
