/** What the dashboards show. generate.ts turns this into Grafana's JSON. */

export interface Panel {
  title: string;
  description: string;
  /** A unit of Grafana: s, percentunit, reqps, short, bytes. */
  unit: string;
  queries: { expr: string; legend: string }[];
  kind?: 'timeseries' | 'stat' | 'bargauge';
  /** Of 24 columns; 12 unless given. */
  width?: number;
}
export interface Dashboard {
  uid: string;
  title: string;
  /** Labels of grpc_server_handled_total to choose from. */
  variables?: string[];
  panels: Panel[];
}

const faults = 'code=~"UNAVAILABLE|INTERNAL|UNKNOWN|DATA_LOSS|DEADLINE_EXCEEDED"';
/** Streams last, and PullEvents waits for events on purpose. */
const streams = 'method!~".*/(Watch.*|PullEvents)"';

/** Of all calls in a time like "30d"; 0, and not nothing, where no call has ever failed. */
const faultShare = (time: string): string => {
  const calls = (which: string): string => `sum by (service) (increase(grpc_server_handled_total${which}[${time}]))`;
  return `(${calls(`{${faults}}`)} or 0 * ${calls('')}) / ${calls('')}`;
};

const cluster: Dashboard = {
  uid: 'cluster',
  title: 'cluster',
  panels: [
    { title: 'Replicas', description: 'Processes that answer.', unit: 'short', kind: 'stat', width: 6, queries: [{ expr: 'count by (service) (process_start_time_seconds{service=~"auth|users|tasks|scheduler"})', legend: '{{service}}' }] },
    { title: 'Open breakers', description: 'Edges on which calls are no longer tried.', unit: 'short', kind: 'stat', width: 6, queries: [{ expr: 'count(grpc_client_breaker_state == 2) or vector(0)', legend: 'open' }] },
    { title: 'Oldest event not yet handled', description: 'How late the scheduler is.', unit: 's', kind: 'stat', width: 6, queries: [{ expr: 'max by (cursor) (event_puller_lag_seconds)', legend: '{{cursor}}' }] },
    { title: 'Dead letters', description: 'Jobs that failed for good and wait for a decision.', unit: 'short', kind: 'stat', width: 6, queries: [{ expr: 'max(taskflow_dead_letters)', legend: 'jobs' }] },
    { title: 'Calls', description: 'Answered, by service.', unit: 'reqps', queries: [{ expr: 'sum by (service) (rate(grpc_server_handled_total[5m]))', legend: '{{service}}' }] },
    { title: 'Faults', description: 'Share of calls that failed through no fault of the caller.', unit: 'percentunit', queries: [{ expr: faultShare('5m'), legend: '{{service}}' }] },
    { title: 'p99', description: 'Time from the arrival of a call to its status, streams left out.', unit: 's', queries: [{ expr: `histogram_quantile(0.99, sum by (service, le) (rate(grpc_server_handling_seconds_bucket{${streams}}[5m])))`, legend: '{{service}}' }] },
    { title: 'CPU', description: 'Cores in use, by service.', unit: 'short', queries: [{ expr: 'sum by (service) (rate(process_cpu_seconds_total{service=~"auth|users|tasks|scheduler"}[5m]))', legend: '{{service}}' }] },
  ],
};

const service: Dashboard = {
  uid: 'service',
  title: 'service',
  variables: ['service'],
  panels: [
    { title: 'Calls by method', description: 'Answered.', unit: 'reqps', queries: [{ expr: 'sum by (method) (rate(grpc_server_handled_total{service=~"$service"}[5m]))', legend: '{{method}}' }] },
    { title: 'Refused and failed', description: 'By code and reason.', unit: 'reqps', queries: [{ expr: 'sum by (code, reason) (rate(grpc_server_handled_total{service=~"$service", code!="OK"}[5m]))', legend: '{{code}} {{reason}}' }] },
    { title: 'p50', description: 'By method, streams left out.', unit: 's', queries: [{ expr: `histogram_quantile(0.5, sum by (method, le) (rate(grpc_server_handling_seconds_bucket{service=~"$service", ${streams}}[5m])))`, legend: '{{method}}' }] },
    { title: 'p99', description: 'By method, streams left out.', unit: 's', queries: [{ expr: `histogram_quantile(0.99, sum by (method, le) (rate(grpc_server_handling_seconds_bucket{service=~"$service", ${streams}}[5m])))`, legend: '{{method}}' }] },
    { title: 'Calls to other services', description: 'By callee, code and reason.', unit: 'reqps', queries: [{ expr: 'sum by (callee, code, reason) (rate(grpc_client_handled_total{service=~"$service"}[5m]))', legend: '{{callee}} {{code}} {{reason}}' }] },
    { title: 'Breakers', description: '0 closed, 1 half open, 2 open.', unit: 'short', queries: [{ expr: 'max by (callee, method) (grpc_client_breaker_state{service=~"$service"})', legend: '{{callee}} {{method}}' }] },
    { title: 'Database connections', description: 'Of the pool, by state; waiting counts calls without one.', unit: 'short', queries: [{ expr: 'sum by (state) (db_connections{service=~"$service"})', legend: '{{state}}' }] },
    { title: 'Units of work', description: 'Transactions, by outcome.', unit: 'reqps', queries: [{ expr: 'sum by (outcome) (rate(db_transactions_total{service=~"$service"}[5m]))', legend: '{{outcome}}' }] },
    { title: 'Event loop', description: 'Delay of the slowest hundredth.', unit: 's', queries: [{ expr: 'max by (instance) (nodejs_eventloop_lag_p99_seconds{service=~"$service"})', legend: '{{instance}}' }] },
    { title: 'Garbage collection', description: 'Share of the time.', unit: 'percentunit', queries: [{ expr: 'sum by (instance) (rate(nodejs_gc_duration_seconds_sum{service=~"$service"}[5m]))', legend: '{{instance}}' }] },
    { title: 'Memory', description: 'Resident.', unit: 'bytes', queries: [{ expr: 'process_resident_memory_bytes{service=~"$service"}', legend: '{{instance}}' }] },
    { title: 'Rate limits', description: 'Calls refused, and calls whose limit could not be told.', unit: 'reqps', queries: [{ expr: 'sum by (method) (rate(taskflow_limits_refused_total{service=~"$service"}[5m]))', legend: 'refused {{method}}' }, { expr: 'sum by (decision) (rate(taskflow_limits_store_failures_total{service=~"$service"}[5m]))', legend: 'blind, {{decision}}' }] },
  ],
};

const jobs: Dashboard = {
  uid: 'jobs',
  title: 'overdue work and jobs',
  panels: [
    { title: 'Overdue lag', description: 'Age of the oldest overdue task that nobody was told of.', unit: 's', queries: [{ expr: 'max(taskflow_overdue_lag_seconds)', legend: 'overdue' }] },
    { title: 'Event lag', description: 'Age of the oldest event of the latest batch.', unit: 's', queries: [{ expr: 'max by (cursor) (event_puller_lag_seconds)', legend: '{{cursor}}' }] },
    { title: 'Events', description: 'Taken from the source.', unit: 'reqps', queries: [{ expr: 'sum by (cursor, outcome) (rate(event_puller_events_total[5m]))', legend: '{{cursor}} {{outcome}}' }] },
    { title: 'Notifications', description: 'Delivered, and dropped because their subject had changed.', unit: 'reqps', queries: [{ expr: 'sum(rate(taskflow_notifications_delivered_total[5m]))', legend: 'delivered' }, { expr: 'sum(rate(taskflow_notifications_stale_total[5m]))', legend: 'stale' }] },
    { title: 'Pending notifications', description: 'Recorded and not delivered yet.', unit: 'short', queries: [{ expr: 'max(taskflow_notifications_pending)', legend: 'pending' }] },
    { title: 'Queue depth', description: 'Jobs by state.', unit: 'short', queries: [{ expr: 'max by (queue, state) (taskflow_queue_depth)', legend: '{{queue}} {{state}}' }] },
    { title: 'Oldest waiting job', description: 'Age.', unit: 's', queries: [{ expr: 'max by (queue) (taskflow_queue_oldest_waiting_seconds)', legend: '{{queue}}' }] },
    { title: 'Runs of jobs', description: 'By what became of them.', unit: 'reqps', queries: [{ expr: 'sum by (job, outcome) (rate(taskflow_job_runs_total[5m]))', legend: '{{job}} {{outcome}}' }] },
    { title: 'Duration of jobs', description: 'p99.', unit: 's', queries: [{ expr: 'histogram_quantile(0.99, sum by (job, le) (rate(taskflow_job_duration_seconds_bucket[5m])))', legend: '{{job}}' }] },
    { title: 'Runs of schedules', description: 'By outcome.', unit: 'reqps', queries: [{ expr: 'sum by (schedule, outcome) (rate(taskflow_schedule_runs_total[5m]))', legend: '{{schedule}} {{outcome}}' }] },
  ],
};

const objectives: Dashboard = {
  uid: 'objectives',
  title: 'objectives',
  panels: [
    { title: 'Error budget left, 30 days', description: 'Of 0.1 % of the calls.', unit: 'percentunit', kind: 'bargauge', width: 24, queries: [{ expr: `1 - (${faultShare('30d')}) / 0.001`, legend: '{{service}}' }] },
    { title: 'Burn rate, 1 h', description: 'How many times faster than allowed; 14.4 pages at once.', unit: 'short', queries: [{ expr: 'taskflow:errors:ratio_rate1h / 0.001', legend: '{{service}}' }] },
    { title: 'Burn rate, 6 h', description: 'How many times faster than allowed; 6 pages.', unit: 'short', queries: [{ expr: 'taskflow:errors:ratio_rate6h / 0.001', legend: '{{service}}' }] },
    { title: 'Faults by method', description: 'Where the budget goes.', unit: 'reqps', queries: [{ expr: `sum by (method, code, reason) (rate(grpc_server_handled_total{${faults}}[5m]))`, legend: '{{method}} {{code}} {{reason}}' }] },
    { title: 'Calls within 250 ms', description: 'Streams left out.', unit: 'percentunit', queries: [{ expr: `sum by (service) (rate(grpc_server_handling_seconds_bucket{le="0.25", ${streams}}[5m])) / sum by (service) (rate(grpc_server_handling_seconds_count{${streams}}[5m]))`, legend: '{{service}}' }] },
  ],
};

export const dashboards: readonly Dashboard[] = [cluster, service, jobs, objectives];
