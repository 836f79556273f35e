import type { Metrics } from '#libs/runtime';
import type { MetricsPort } from '../domain/jobs/metrics.port.ts';

export function createSchedulerMetrics(metrics: Metrics): MetricsPort {
  const delivered = metrics.counter('taskflow_notifications_delivered_total', 'Notifications that were delivered.');
  const muted = metrics.counter('taskflow_notifications_muted_total', 'Notifications whose recipient wants none.');
  const digested = metrics.counter(
    'taskflow_notifications_digested_total',
    'Delivered notifications that a digest stands for.',
  );
  const attempts = metrics.counter('taskflow_webhook_attempts_total', 'Tries to reach webhooks, by outcome.', [
    'outcome',
  ]);
  const attemptSeconds = metrics.histogram(
    'taskflow_webhook_attempt_duration_seconds',
    'How long tries to reach webhooks took.',
  );
  const mails = metrics.counter('taskflow_mails_total', 'Attempts to send mails, by outcome.', ['outcome']);
  const mailSeconds = metrics.histogram('taskflow_mail_duration_seconds', 'How long the mail server took.');
  const stale = metrics.counter(
    'taskflow_notifications_stale_total',
    'Notifications dropped because their subject had changed.',
  );
  const runs = metrics.counter('taskflow_schedule_runs_total', 'Runs of schedules, by outcome.', [
    'schedule',
    'outcome',
  ]);
  const pending = metrics.gauge('taskflow_notifications_pending', 'Notifications that wait for their delivery.');
  const dead = metrics.gauge('taskflow_dead_letters', 'Jobs that died and are kept.');
  const paused = metrics.gauge('taskflow_queue_paused', 'Whether an administrator has paused the queue.', ['queue']);
  const reconciled = metrics.counter(
    'taskflow_jobs_reconciled_total',
    'Jobs that Redis had lost and that were made again, by what they are for.',
    ['kind'],
  );
  return {
    webhookTried: (outcome, durationMs) => {
      attempts.inc({ outcome });
      attemptSeconds.observe(durationMs / 1_000);
    },
    mailTried: (outcome, durationMs) => {
      mails.inc({ outcome });
      if (durationMs > 0) mailSeconds.observe(durationMs / 1_000);
    },
    completed: (counts) => {
      delivered.inc(counts.delivered);
      muted.inc(counts.muted);
      stale.inc(counts.stale);
      digested.inc(counts.digested);
    },
    paused: (queue, isPaused) => paused.set({ queue }, isPaused ? 1 : 0),
    reconciled: (kind, count) => reconciled.inc({ kind }, count),
    scheduleRan: (schedule, outcome) => runs.inc({ schedule, outcome }),
    waiting: (counts) => {
      pending.set(counts.pending);
      dead.set(counts.deadLetters);
    },
  };
}
