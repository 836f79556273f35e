/** What the dashboards show. generate.ts turns this into Grafana's JSON. */
import {
  faults,
  faultShare,
  maxBy,
  panel,
  quantileBy,
  rateBy,
  streams,
  type Dashboard,
  type Panel,
  type Query,
} from './dashboard.ts';

const stat = (title: string, description: string, unit: string, query: Query): Panel => ({
  ...panel(title, description, unit, query),
  kind: 'stat',
  width: 6,
});
const byService = (expr: string): Query => ({ expr, legend: '{{service}}' });
const ours = 'service=~"auth|users|tasks|scheduler|gateway"';

const cluster: Dashboard = {
  uid: 'cluster',
  title: 'cluster',
  panels: [
    stat(
      'Replicas',
      'Processes that answer.',
      'short',
      byService(`count by (service) (process_start_time_seconds{${ours}})`),
    ),
    stat('Open breakers', 'Edges on which calls are no longer tried.', 'short', {
      expr: 'count(grpc_client_breaker_state == 2) or vector(0)',
      legend: 'open',
    }),
    stat(
      'Oldest event not yet handled',
      'How late the scheduler is.',
      's',
      maxBy('cursor', 'event_consumer_lag_seconds'),
    ),
    stat('Dead letters', 'Jobs that failed for good and wait for a decision.', 'short', {
      expr: 'max(taskflow_dead_letters)',
      legend: 'jobs',
    }),
    panel('Calls', 'Answered, by service.', 'reqps', rateBy('service', 'grpc_server_handled_total')),
    panel(
      'Faults',
      'Share of calls that failed through no fault of the caller.',
      'percentunit',
      byService(faultShare('5m')),
    ),
    panel(
      'p99',
      'Time from the arrival of a call to its status, streams left out.',
      's',
      quantileBy(0.99, 'service', `grpc_server_handling_seconds_bucket{${streams}}`),
    ),
    panel('CPU', 'Cores in use, by service.', 'short', rateBy('service', `process_cpu_seconds_total{${ours}}`)),
  ],
};

const chosen = 'service=~"$service"';
const durations = `grpc_server_handling_seconds_bucket{${chosen}, ${streams}}`;

const service: Dashboard = {
  uid: 'service',
  title: 'service',
  variables: ['service'],
  panels: [
    panel('Calls by method', 'Answered.', 'reqps', rateBy('method', `grpc_server_handled_total{${chosen}}`)),
    panel(
      'Refused and failed',
      'By code and reason.',
      'reqps',
      rateBy('code, reason', `grpc_server_handled_total{${chosen}, code!="OK"}`),
    ),
    panel('p50', 'By method, streams left out.', 's', quantileBy(0.5, 'method', durations)),
    panel('p99', 'By method, streams left out.', 's', quantileBy(0.99, 'method', durations)),
    panel(
      'Calls to other services',
      'By callee, code and reason.',
      'reqps',
      rateBy('callee, code, reason', `grpc_client_handled_total{${chosen}}`),
    ),
    panel(
      'Breakers',
      '0 closed, 1 half open, 2 open.',
      'short',
      maxBy('callee, method', `grpc_client_breaker_state{${chosen}}`),
    ),
    panel('Database connections', 'Of the pool, by state; waiting counts calls without one.', 'short', {
      expr: `sum by (state) (db_connections{${chosen}})`,
      legend: '{{state}}',
    }),
    panel('Units of work', 'Transactions, by outcome.', 'reqps', rateBy('outcome', `db_transactions_total{${chosen}}`)),
    panel('Works of a transaction', 'Units of work that shared one; 1 = alone.', 'short', {
      expr: `sum(rate(db_group_size_sum{${chosen}}[5m])) / sum(rate(db_group_size_count{${chosen}}[5m]))`,
      legend: 'mean',
    }),
    panel(
      'Wait for a transaction',
      'Of a unit of work, until its transaction begins: half of them, and all but a hundredth.',
      's',
      { ...quantileBy(0.5, 'service', `db_group_wait_seconds_bucket{${chosen}}`), legend: 'p50' },
      { ...quantileBy(0.99, 'service', `db_group_wait_seconds_bucket{${chosen}}`), legend: 'p99' },
    ),
    panel(
      'Event loop',
      'Delay of the slowest hundredth.',
      's',
      maxBy('instance', `nodejs_eventloop_lag_p99_seconds{${chosen}}`),
    ),
    panel(
      'Garbage collection',
      'Share of the time.',
      'percentunit',
      rateBy('instance', `nodejs_gc_duration_seconds_sum{${chosen}}`),
    ),
    panel('Memory', 'Resident.', 'bytes', {
      expr: `process_resident_memory_bytes{${chosen}}`,
      legend: '{{instance}}',
    }),
    panel(
      'Rate limits',
      'Calls refused, and calls whose limit could not be told.',
      'reqps',
      rateBy('method', `taskflow_limits_refused_total{${chosen}}`, 'refused {{method}}'),
      rateBy('decision', `taskflow_limits_store_failures_total{${chosen}}`, 'blind, {{decision}}'),
    ),
  ],
};

const jobs: Dashboard = {
  uid: 'jobs',
  title: 'overdue work and jobs',
  panels: [
    panel('Overdue lag', 'Age of the oldest overdue task that nobody was told of.', 's', {
      expr: 'max(taskflow_overdue_lag_seconds)',
      legend: 'overdue',
    }),
    panel(
      'Event lag',
      'Age of the oldest event of the latest batch.',
      's',
      maxBy('cursor', 'event_consumer_lag_seconds'),
    ),
    panel('Events', 'Taken from the source.', 'reqps', rateBy('cursor, outcome', 'event_consumer_events_total')),
    panel(
      'Notifications',
      'Delivered, and dropped because their subject had changed.',
      'reqps',
      { expr: 'sum(rate(taskflow_notifications_delivered_total[5m]))', legend: 'delivered' },
      { expr: 'sum(rate(taskflow_notifications_stale_total[5m]))', legend: 'stale' },
    ),
    panel('Pending notifications', 'Recorded and not delivered yet.', 'short', {
      expr: 'max(taskflow_notifications_pending)',
      legend: 'pending',
    }),
    panel('Mails', 'Attempts, by outcome.', 'reqps', rateBy('outcome', 'taskflow_mails_total')),
    panel('Queue depth', 'Jobs by state.', 'short', maxBy('queue, state', 'taskflow_queue_depth')),
    panel('Oldest waiting job', 'Age.', 's', maxBy('queue', 'taskflow_queue_oldest_waiting_seconds')),
    panel('Runs of jobs', 'By what became of them.', 'reqps', rateBy('job, outcome', 'taskflow_job_runs_total')),
    panel('Duration of jobs', 'p99.', 's', quantileBy(0.99, 'job', 'taskflow_job_duration_seconds_bucket')),
    panel('Runs of schedules', 'By outcome.', 'reqps', rateBy('schedule, outcome', 'taskflow_schedule_runs_total')),
  ],
};

const callRate = (suffix: string, which: string): string =>
  `sum by (service) (rate(grpc_server_handling_seconds_${suffix}{${which}}[5m]))`;

const objectives: Dashboard = {
  uid: 'objectives',
  title: 'objectives',
  panels: [
    {
      ...panel(
        'Error budget left, 30 days',
        'Of 0.1 % of the calls.',
        'percentunit',
        byService(`1 - (${faultShare('30d')}) / 0.001`),
      ),
      kind: 'bargauge',
      width: 24,
    },
    panel(
      'Burn rate, 1 h',
      'How many times faster than allowed; 14.4 pages at once.',
      'short',
      byService('taskflow:errors:ratio_rate1h / 0.001'),
    ),
    panel(
      'Burn rate, 6 h',
      'How many times faster than allowed; 6 pages.',
      'short',
      byService('taskflow:errors:ratio_rate6h / 0.001'),
    ),
    panel(
      'Faults by method',
      'Where the budget goes.',
      'reqps',
      rateBy('method, code, reason', `grpc_server_handled_total{${faults}}`),
    ),
    panel(
      'Calls within 250 ms',
      'Streams left out.',
      'percentunit',
      byService(`${callRate('bucket', `le="0.25", ${streams}`)} / ${callRate('count', streams)}`),
    ),
  ],
};

export const dashboards: readonly Dashboard[] = [cluster, service, jobs, objectives];
