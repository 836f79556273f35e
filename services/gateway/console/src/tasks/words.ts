import { TaskPriority, TaskStatus } from '#client/tasks';

export interface StatusWord {
  value: TaskStatus;
  label: string;
  /** Its name in addresses. */
  key: string;
}

export const statuses: readonly StatusWord[] = [
  { value: TaskStatus.PENDING, label: 'To do', key: 'todo' },
  { value: TaskStatus.IN_PROGRESS, label: 'In progress', key: 'doing' },
  { value: TaskStatus.COMPLETED, label: 'Done', key: 'done' },
  { value: TaskStatus.CANCELLED, label: 'Cancelled', key: 'cancelled' },
];

export const priorities: readonly { value: TaskPriority; label: string; key: string }[] = [
  { value: TaskPriority.URGENT, label: 'Urgent', key: 'urgent' },
  { value: TaskPriority.HIGH, label: 'High', key: 'high' },
  { value: TaskPriority.MEDIUM, label: 'Medium', key: 'medium' },
  { value: TaskPriority.LOW, label: 'Low', key: 'low' },
];

export const statusLabel = (status: TaskStatus): string =>
  statuses.find(({ value }) => value === status)?.label ?? 'Unknown';

export const priorityLabel = (priority: TaskPriority): string =>
  priorities.find(({ value }) => value === priority)?.label ?? 'None';

export const isOpen = (status: TaskStatus): boolean =>
  status === TaskStatus.PENDING || status === TaskStatus.IN_PROGRESS;
