import { Suspense, useCallback, useMemo, useRef, type ReactNode } from 'react';
import { useLocation, useSearchParams } from 'wouter';
import { TaskStatus, type Task } from '#client/tasks';
import { useTasks } from '../live/use-tasks.ts';
import { useShortcuts } from '../shell/shortcuts.ts';
import { Button } from '../ui/button.tsx';
import { Segmented } from '../ui/field.tsx';
import { Empty, ErrorNotice, Loading } from '../ui/notice.tsx';
import { showToast } from '../ui/toast.tsx';
import { changeTask } from './actions.ts';
import { BulkBar } from './bulk-bar.tsx';
import { FilterBar } from './filter-bar.tsx';
import { chooseTasks, readFilters, writeFilters, type Filters, type Viewer } from './filters.ts';
import { Board, TaskPanel } from './lazy-views.ts';
import { TaskList } from './list.tsx';
import { QuickAdd } from './quick-add.tsx';
import { reportFailure } from './report-failure.ts';
import { useSelection, type Selection } from './use-selection.ts';
import { useViewer } from './use-viewer.ts';

type ViewKind = 'list' | 'board';

/** Everything that a view of tasks keeps in the address. */
function useTaskAddress() {
  const [search, setSearch] = useSearchParams();
  const [path, navigate] = useLocation();
  const filters = useMemo(() => readFilters(search), [search]);
  const openId = search.get('task');
  const view: ViewKind = search.get('view') === 'board' ? 'board' : 'list';
  const hrefOf = useCallback(
    (taskId: string) => {
      const next = new URLSearchParams(search);
      next.set('task', taskId);
      return `${path}?${next}`;
    },
    [search, path],
  );
  const close = useCallback(() => {
    const next = new URLSearchParams(search);
    next.delete('task');
    navigate(next.size === 0 ? path : `${path}?${next}`);
  }, [search, path, navigate]);
  const setFilters = (change: Partial<Filters>): void =>
    setSearch((before) => writeFilters(before, { ...readFilters(before), ...change }), { replace: true });
  const setView = (next: ViewKind): void =>
    setSearch(
      (before) => {
        const params = new URLSearchParams(before);
        if (next === 'board') params.set('view', 'board');
        else params.delete('view');
        return params;
      },
      { replace: true },
    );
  return { filters, openId, view, hrefOf, close, setFilters, setView };
}

const doNothing = (): void => undefined;

function toggleDone(task: Task): void {
  const isDone = task.status === TaskStatus.COMPLETED;
  const status = isDone ? TaskStatus.PENDING : TaskStatus.COMPLETED;
  changeTask(task, { status })
    .then((changed) => {
      if (!isDone)
        showToast(`“${task.title}” is done`, {
          label: 'Undo',
          run: () => void changeTask(changed, { status: task.status }).catch(reportFailure),
        });
    })
    .catch(reportFailure);
}

interface NoTasksProps {
  isFiltered: boolean;
  readOnly: boolean;
  onClear: () => void;
}

function NoTasks({ isFiltered, readOnly, onClear }: NoTasksProps) {
  if (isFiltered)
    return (
      <Empty icon="search" title="Nothing matches">
        <p>No task is as the filters ask.</p>
        <Button onClick={onClear}>Clear the filters</Button>
      </Empty>
    );
  return (
    <Empty icon="check" title="All clear">
      <p>
        There is nothing to do.
        {!readOnly && ' Write a task into the line above; it is yours until you give it to somebody.'}
      </p>
    </Empty>
  );
}

const noFilters: Partial<Filters> = {
  text: '',
  status: 'open',
  due: 'any',
  who: 'anybody',
  priorities: [],
  labels: [],
};

interface TasksBodyProps {
  shown: readonly Task[];
  address: ReturnType<typeof useTaskAddress>;
  selection: Selection;
  viewer: Viewer;
  readOnly: boolean;
}

/** The tasks, or what is there in their place. */
function TasksBody({ shown, address, selection, viewer, readOnly }: TasksBodyProps) {
  const { isWhole, state, error } = useTasks();
  const { filters, openId, view, hrefOf, setFilters } = address;
  if (state === 'failed') return <ErrorNotice error={error} />;
  if (!isWhole && shown.length === 0) return <Loading rows={9} label="Loading your tasks" />;
  const common = { tasks: shown, viewer, openId, hrefOf, readOnly };
  if (view === 'board')
    return (
      <Suspense fallback={<Loading rows={9} />}>
        <Board {...common} />
      </Suspense>
    );
  if (shown.length === 0) {
    const isFiltered = JSON.stringify({ ...filters, ...noFilters }) !== JSON.stringify(filters);
    return <NoTasks {...{ isFiltered, readOnly }} onClear={() => setFilters(noFilters)} />;
  }
  return (
    <TaskList
      {...common}
      sort={filters.sort}
      selection={selection.ids}
      onToggleDone={readOnly ? doNothing : toggleDone}
      onSelect={readOnly ? doNothing : selection.toggle}
    />
  );
}

function ViewSwitch({ view, onChoose }: { view: ViewKind; onChoose: (view: ViewKind) => void }) {
  return (
    <Segmented
      label="View"
      choices={[
        { value: 'list', label: 'List' },
        { value: 'board', label: 'Board' },
      ]}
      value={view}
      onChoose={onChoose}
    />
  );
}

interface TasksViewProps {
  /** What the view is called for those who do not see it. */
  label: string;
  /** The tasks that the filters choose from. */
  pool: readonly Task[];
  /** Where new tasks go; none: to the person's own. */
  projectId?: string;
  /** Whether the person may write none of them. */
  readOnly?: boolean;
  /** What stands above, with the switch between list and board. */
  head: (viewSwitch: ReactNode) => ReactNode;
}

/** Tasks with their filters, as list or board, and the one that is open beside them. */
export function TasksView({ label, pool, projectId, readOnly = false, head }: TasksViewProps) {
  const viewer = useViewer();
  const address = useTaskAddress();
  const { filters, openId, view, close, setFilters, setView } = address;
  const isBoard = view === 'board';
  const shown = useMemo(
    () => chooseTasks(pool, isBoard ? { ...filters, status: 'all' } : filters, viewer),
    [pool, filters, viewer, isBoard],
  );
  const selection = useSelection(shown);
  const quickAdd = useRef<HTMLInputElement>(null);
  const search = useRef<HTMLInputElement>(null);
  useShortcuts({
    n: () => quickAdd.current?.focus(),
    '/': () => search.current?.focus(),
    b: () => setView(isBoard ? 'list' : 'board'),
  });
  return (
    <div className={`tasks-page${openId === null ? '' : ' with-panel'}`}>
      <section className="tasks-main" aria-label={label}>
        {head(<ViewSwitch view={view} onChoose={setView} />)}
        {!readOnly && <QuickAdd projectId={projectId} viewer={viewer} inputRef={quickAdd} />}
        <FilterBar filters={filters} onChange={setFilters} searchRef={search} isBoard={isBoard} />
        <TasksBody {...{ shown, address, selection, viewer, readOnly }} />
        <BulkBar tasks={shown} selection={selection} viewer={viewer} />
      </section>
      {openId !== null && (
        <Suspense>
          <TaskPanel key={openId} taskId={openId} viewer={viewer} onClose={close} />
        </Suspense>
      )}
    </div>
  );
}
