import { TaskPriority, TaskStatus, type Task } from '#client/tasks';
import { Icon } from '../ui/icon.tsx';
import { describeDue } from './due.ts';
import type { Viewer } from './filters.ts';
import { priorityLabel, statusLabel } from './words.ts';

const shapes: Partial<Record<TaskStatus, React.ReactNode>> = {
  [TaskStatus.IN_PROGRESS]: <path d="M12 7a5 5 0 0 1 0 10z" fill="currentColor" stroke="none" />,
  [TaskStatus.COMPLETED]: <path d="m8 12.3 2.7 2.7L16 9.3" strokeWidth="2.2" />,
  [TaskStatus.CANCELLED]: <path d="M9 9l6 6M15 9l-6 6" strokeWidth="2" />,
};

export function StatusSign({ status, size = 18 }: { status: TaskStatus; size?: number }) {
  return (
    <svg
      className={`status-sign status-${TaskStatus[status]?.toLowerCase() ?? 'unknown'}`}
      width={size}
      height={size}
      viewBox="0 0 24 24"
      fill="none"
      stroke="currentColor"
      strokeWidth="2"
      strokeLinecap="round"
      strokeLinejoin="round"
      role="img"
      aria-label={statusLabel(status)}
    >
      <circle cx="12" cy="12" r="9" />
      {shapes[status]}
    </svg>
  );
}

const bars: Partial<Record<TaskPriority, number>> = {
  [TaskPriority.LOW]: 1,
  [TaskPriority.MEDIUM]: 2,
  [TaskPriority.HIGH]: 3,
  [TaskPriority.URGENT]: 4,
};

export function PrioritySign({ priority, size = 16 }: { priority: TaskPriority; size?: number }) {
  const filled = bars[priority] ?? 0;
  return (
    <svg
      className={`priority-sign priority-${TaskPriority[priority]?.toLowerCase() ?? 'unknown'}`}
      width={size}
      height={size}
      viewBox="0 0 16 16"
      role="img"
      aria-label={`${priorityLabel(priority)} priority`}
    >
      {[0, 1, 2, 3].map((bar) => (
        <rect
          key={bar}
          x={1 + bar * 3.8}
          y={11 - bar * 3}
          width="2.6"
          height={4 + bar * 3}
          rx="1"
          fill="currentColor"
          opacity={bar < filled ? 1 : 0.22}
        />
      ))}
    </svg>
  );
}

export function DueLabel({ task, viewer }: { task: Task; viewer: Viewer }) {
  const due = describeDue(task, viewer);
  if (due === undefined) return null;
  return (
    <span className={`due due-${due.tone}`}>
      <Icon name={due.tone === 'late' ? 'warning' : 'calendar'} size={14} />
      {due.tone === 'late' && <span className="visually-hidden">Overdue: </span>}
      {due.text}
    </span>
  );
}
