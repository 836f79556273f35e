import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';

/** Seconds; from half a millisecond to half a minute. */
const durationBuckets = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

/** The metrics of one service. A second request for a name returns the same metric. */
export interface Metrics {
  registry: Registry;
  counter<L extends string>(name: string, help: string, labels?: readonly L[]): Counter<L>;
  gauge<L extends string>(name: string, help: string, labels?: readonly L[]): Gauge<L>;
  /** In seconds, unless it has its own buckets. */
  histogram<L extends string>(
    name: string,
    help: string,
    labels?: readonly L[],
    buckets?: readonly number[],
  ): Histogram<L>;
}

/** How often the delay of the event loop is sampled. Each sample wakes the process. */
const eventLoopSampleMs = 100;

/** A registry with the process's own metrics; every metric carries the label `service`. */
export function createMetrics(service: string): Metrics {
  const registry = new Registry();
  registry.setDefaultLabels({ service });
  collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: eventLoopSampleMs });
  const existing = <T>(name: string): T | undefined => registry.getSingleMetric(name) as T | undefined;
  return {
    registry,
    counter: (name, help, labels = []) =>
      existing(name) ?? new Counter({ name, help, labelNames: labels, registers: [registry] }),
    gauge: (name, help, labels = []) =>
      existing(name) ?? new Gauge({ name, help, labelNames: labels, registers: [registry] }),
    histogram: (name, help, labels = [], buckets = durationBuckets) =>
      existing(name) ?? new Histogram({ name, help, labelNames: labels, buckets: [...buckets], registers: [registry] }),
  };
}
