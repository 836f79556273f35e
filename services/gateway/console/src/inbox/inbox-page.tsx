import { Suspense } from 'react';
import { timestampMs } from '@bufbuild/protobuf/wkt';
import { useSearchParams } from 'wouter';
import type { Notification } from '#client/scheduler';
import { useNameOf } from '../live/use-people.ts';
import { useTasks } from '../live/use-tasks.ts';
import { PageHead } from '../shell/page-head.tsx';
import { TaskPanel } from '../tasks/lazy-views.ts';
import type { Viewer } from '../tasks/filters.ts';
import { useViewer } from '../tasks/use-viewer.ts';
import { Button } from '../ui/button.tsx';
import { Segmented } from '../ui/field.tsx';
import { Icon } from '../ui/icon.tsx';
import { Empty, ErrorNotice, Loading } from '../ui/notice.tsx';
import { When } from '../ui/when.tsx';
import { describeNotification } from './describe-notification.ts';
import { useInbox, useMarkRead } from './use-inbox.ts';

interface EntryProps {
  notification: Notification;
  viewer: Viewer;
  open: boolean;
  onOpen: () => void;
  onRead: () => void;
}

function Entry({ notification, viewer, open, onOpen, onRead }: EntryProps) {
  const { tasks } = useTasks();
  const nameOf = useNameOf(viewer.id, tasks.get(notification.taskId)?.projectId ?? '');
  const { icon, tone, text } = describeNotification(notification, { ...viewer, nameOf });
  const unread = notification.readTime === undefined;
  return (
    <li className={`inbox-entry${unread ? ' unread' : ''}${open ? ' open' : ''}`}>
      <button type="button" className="inbox-open" onClick={onOpen}>
        <span className={`inbox-sign ${tone}`}>
          <Icon name={icon} size={16} />
        </span>
        <span className="grow">
          <span className="inbox-title">
            {unread && <span className="visually-hidden">Unread: </span>}
            {notification.taskTitle || text}
          </span>
          {notification.taskTitle !== '' && <span className="inbox-text">{text}</span>}
        </span>
        <span className="inbox-time small faint">
          {notification.deliverTime !== undefined && <When ms={timestampMs(notification.deliverTime)} />}
        </span>
      </button>
      {unread && (
        <Button look="quiet" compact icon="check" onClick={onRead} aria-label={`Mark “${text}” as read`}>
          <span className="if-wide">Read</span>
        </Button>
      )}
    </li>
  );
}

interface InboxHeadProps {
  shown: readonly Notification[];
  unreadOnly: boolean;
  onShow: (unreadOnly: boolean) => void;
}

function InboxHead({ shown, unreadOnly, onShow }: InboxHeadProps) {
  const { mutate, isPending } = useMarkRead();
  const latest = Math.max(0, ...shown.map(({ deliverTime }) => (deliverTime ? timestampMs(deliverTime) : 0)));
  return (
    <PageHead title="Inbox">
      <Segmented
        label="Which"
        choices={[
          { value: 'all', label: 'All' },
          { value: 'unread', label: 'Unread' },
        ]}
        value={unreadOnly ? 'unread' : 'all'}
        onChoose={(which) => onShow(which === 'unread')}
      />
      <Button
        compact
        icon="check"
        busy={isPending}
        disabled={shown.every(({ readTime }) => readTime !== undefined)}
        onClick={() => mutate({ beforeMs: latest + 1 })}
      >
        Mark all read
      </Button>
    </PageHead>
  );
}

function NothingHere({ unreadOnly }: { unreadOnly: boolean }) {
  return (
    <Empty icon="inbox" title={unreadOnly ? 'All read' : 'Nothing yet'}>
      <p>You hear of tasks here that are overdue, that change, or that somebody gives to you.</p>
    </Empty>
  );
}

interface EntriesProps {
  query: ReturnType<typeof useInbox>;
  shown: readonly Notification[];
  viewer: Viewer;
  openId: string | null;
  onOpen: (taskId: string) => void;
}

function Entries({ query, shown, viewer, openId, onOpen }: EntriesProps) {
  const { mutate } = useMarkRead();
  const open = ({ id, taskId, readTime }: Notification): void => {
    if (taskId !== '') onOpen(taskId);
    if (readTime === undefined) mutate({ ids: [id] });
  };
  return (
    <>
      <ul className="inbox">
        {shown.map((one) => (
          <Entry
            key={one.id}
            notification={one}
            viewer={viewer}
            open={one.taskId !== '' && one.taskId === openId}
            onOpen={() => open(one)}
            onRead={() => mutate({ ids: [one.id] })}
          />
        ))}
      </ul>
      {query.hasNextPage && (
        <Button look="quiet" busy={query.isFetchingNextPage} onClick={() => void query.fetchNextPage()}>
          Show earlier ones
        </Button>
      )}
    </>
  );
}

/** What concerns the person, the latest first; it grows by itself. */
export function InboxPage() {
  const [search, setSearch] = useSearchParams();
  const viewer = useViewer();
  const unreadOnly = search.get('show') === 'unread';
  const openId = search.get('task');
  const query = useInbox(unreadOnly);
  const shown = query.data?.pages.flatMap((page) => page.notifications) ?? [];
  const set = (key: string, value: string | undefined): void =>
    setSearch(
      (before) => {
        const next = new URLSearchParams(before);
        if (value === undefined) next.delete(key);
        else next.set(key, value);
        return next;
      },
      { replace: true },
    );
  return (
    <div className={`tasks-page${openId === null ? '' : ' with-panel'}`}>
      <section className="tasks-main scrolls" aria-label="Inbox">
        <InboxHead shown={shown} unreadOnly={unreadOnly} onShow={(only) => set('show', only ? 'unread' : undefined)} />
        {query.isError && <ErrorNotice error={query.error} onRetry={() => void query.refetch()} />}
        {query.isPending && <Loading rows={8} label="Loading your inbox" />}
        {query.isSuccess && shown.length === 0 && <NothingHere unreadOnly={unreadOnly} />}
        <Entries query={query} shown={shown} viewer={viewer} openId={openId} onOpen={(taskId) => set('task', taskId)} />
      </section>
      {openId !== null && (
        <Suspense>
          <TaskPanel key={openId} taskId={openId} viewer={viewer} onClose={() => set('task', undefined)} />
        </Suspense>
      )}
    </div>
  );
}
