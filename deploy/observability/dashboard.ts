/** The parts of a dashboard, and what several dashboards select. */

export interface Query {
  expr: string;
  legend: string;
}
export interface Panel {
  title: string;
  description: string;
  /** A unit of Grafana: s, percentunit, reqps, short, bytes. */
  unit: string;
  queries: Query[];
  kind?: 'timeseries' | 'stat' | 'bargauge';
  /** Of 24 columns; 12 unless given. */
  width?: number;
}
export interface Dashboard {
  uid: string;
  title: string;
  /** Labels of grpc_server_handled_total to choose from, besides the namespace. */
  variables?: string[];
  panels: Panel[];
}

export const panel = (title: string, description: string, unit: string, ...queries: Query[]): Panel => ({
  title,
  description,
  unit,
  queries,
});

const legendOf = (labels: string): string => labels.replaceAll(/(\w+),?/g, '{{$1}}');

/** A rate in five minutes, summed by the labels: "code, reason". */
export const rateBy = (labels: string, series: string, legend = legendOf(labels)): Query => ({
  expr: `sum by (${labels}) (rate(${series}[5m]))`,
  legend,
});

export const maxBy = (labels: string, series: string): Query => ({
  expr: `max by (${labels}) (${series})`,
  legend: legendOf(labels),
});

/** A quantile of the observations of five minutes, by the labels; the series are the buckets. */
export const quantileBy = (quantile: number, labels: string, series: string): Query => ({
  expr: `histogram_quantile(${quantile}, sum by (${labels}, le) (rate(${series}[5m])))`,
  legend: legendOf(labels),
});

export const faults = 'code=~"UNAVAILABLE|INTERNAL|UNKNOWN|DATA_LOSS|DEADLINE_EXCEEDED"';
/** Streams are long, and PullEvents waits for events on purpose. */
export const streams = 'method!~".*/(Watch.*|PullEvents)"';

/** The share of faults in all calls of a time like "30d"; 0, and not nothing, where no call has ever failed. */
export const faultShare = (time: string): string => {
  const calls = (which: string): string => `sum by (service) (increase(grpc_server_handled_total${which}[${time}]))`;
  return `(${calls(`{${faults}}`)} or 0 * ${calls('')}) / ${calls('')}`;
};
