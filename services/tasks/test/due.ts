import type { Task } from '#contract/tasks/v1/tasks';

type Due = Pick<Task, 'due'>;

/** The fields of a task that is due at an instant, or not at all. */
export function dueAt(time: Date | undefined): Due {
  return { due: time && { $case: 'dueTime', value: time } };
}

/** The fields of a task that is due at the end of a day ("2026-03-29"). */
export function dueOn(day: string, timeZone: string): Due {
  const [year = 0, month = 0, date = 0] = day.split('-').map(Number);
  return { due: { $case: 'dueDay', value: { date: { year, month, day: date }, timeZone } } };
}
