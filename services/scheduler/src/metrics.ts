import type { Metrics } from '#libs/runtime';
import type { MetricsPort } from './deps.ts';

export function createSchedulerMetrics(metrics: Metrics): MetricsPort {
  const delivered = metrics.counter('taskflow_notifications_delivered_total', 'Notifications that reached an inbox.');
  const stale = metrics.counter('taskflow_notifications_stale_total', 'Notifications dropped because their subject had changed.');
  const runs = metrics.counter('taskflow_schedule_runs_total', 'Runs of schedules, by outcome.', ['schedule', 'outcome']);
  const pending = metrics.gauge('taskflow_notifications_pending', 'Notifications that wait for their delivery.');
  const dead = metrics.gauge('taskflow_dead_letters', 'Jobs that died and are kept.');
  return {
    delivered: (count) => delivered.inc(count),
    stale: (count) => stale.inc(count),
    scheduleRan: (schedule, outcome) => runs.inc({ schedule, outcome }),
    waiting: (counts) => {
      pending.set(counts.pending);
      dead.set(counts.deadLetters);
    },
  };
}
