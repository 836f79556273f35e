import { timestampMs } from '@bufbuild/protobuf/wkt';
import { TaskEventType, type Task, type TaskEvent } from '#client/tasks';
import { useNameOf } from '../live/use-people.ts';
import { Button } from '../ui/button.tsx';
import { Icon, type IconName } from '../ui/icon.tsx';
import { ErrorNotice, Loading } from '../ui/notice.tsx';
import { When } from '../ui/when.tsx';
import { agree, type TaskChange } from './actions.ts';
import { fieldNames, fieldWords, valueInWords } from './change-words.ts';
import type { Viewer } from './filters.ts';
import { useHistory } from './use-history.ts';

/** What an update changed is told instead of that it was one. */
type Named = Exclude<TaskEventType, TaskEventType.UNSPECIFIED | TaskEventType.UPDATED>;

const signs: Readonly<Record<Named, { icon: IconName; words: string }>> = {
  [TaskEventType.CREATED]: { icon: 'plus', words: 'created the task' },
  [TaskEventType.DELETED]: { icon: 'trash', words: 'deleted the task' },
  [TaskEventType.MOVED]: { icon: 'folder', words: 'moved the task' },
  [TaskEventType.UNDELETED]: { icon: 'history', words: 'brought the task back' },
  [TaskEventType.COMMENT_ADDED]: { icon: 'comment', words: 'wrote a comment' },
  [TaskEventType.COMMENT_EDITED]: { icon: 'comment', words: 'changed a comment' },
  [TaskEventType.COMMENT_DELETED]: { icon: 'trash', words: 'deleted a comment' },
  [TaskEventType.OVERDUE]: { icon: 'warning', words: 'noticed that the task is overdue' },
};

/** What an update changed, a line for each field. */
function changesOf({ change }: TaskEvent, viewer: Viewer): string[] {
  const { before, after } = change ?? {};
  if (before === undefined || after === undefined) return [];
  const changed = fieldNames.filter((name) => !agree(before, after, { [name]: undefined } as TaskChange));
  return changed.map((name) => {
    if (name === 'description') return 'changed the description';
    const value = valueInWords(after, name, viewer);
    const was = valueInWords(before, name, viewer);
    const field = fieldWords[name].toLowerCase();
    if (value === '') return `cleared the ${field} (${was})`;
    return was === '' ? `set the ${field} to ${value}` : `changed the ${field} from ${was} to ${value}`;
  });
}

interface EventProps {
  event: TaskEvent;
  who: string;
  viewer: Viewer;
}

function EventLine({ event, who, viewer }: EventProps) {
  const sign = (signs as Partial<Record<TaskEventType, (typeof signs)[Named]>>)[event.type];
  const changes = changesOf(event, viewer);
  const words = sign?.words ?? (changes.length === 0 ? 'changed the task' : changes.join('; '));
  const isLate = event.type === TaskEventType.OVERDUE;
  return (
    <li className={`event${isLate ? ' late' : ''}`}>
      <span className="event-sign">
        <Icon name={sign?.icon ?? 'history'} size={14} />
      </span>
      <span>
        <strong>{who}</strong> {words}{' '}
        <span className="faint">
          {event.createTime !== undefined && <When ms={timestampMs(event.createTime)} />}
        </span>
      </span>
    </li>
  );
}

/** What has happened to the task, the latest first. It grows as things happen. */
export function History({ task, viewer }: { task: Task; viewer: Viewer }) {
  const nameOf = useNameOf(viewer.id, task.projectId);
  const { query, events } = useHistory(task);
  const newest = events.toSorted((a, b) => Number(b.sequence - a.sequence));
  return (
    <section className="history" aria-label="History">
      <h2>History</h2>
      {query.isPending && <Loading rows={3} label="Loading the history" />}
      {query.isError && <ErrorNotice error={query.error} onRetry={() => void query.refetch()} />}
      <ol>
        {newest.map((event) => (
          <EventLine key={String(event.sequence)} event={event} who={nameOf(event.actor)} viewer={viewer} />
        ))}
      </ol>
      {query.hasNextPage && (
        <Button look="quiet" compact busy={query.isFetchingNextPage} onClick={() => void query.fetchNextPage()}>
          Show later changes
        </Button>
      )}
    </section>
  );
}
