import { randomUUID } from 'node:crypto';
import type { Logger } from '../logger.ts';
import type { Metrics } from '../metrics.ts';
import { useTracer } from './tracing.ts';

/** Where spans go, and how many. */
export interface TracingConfig {
  /** The base URL of an OTLP receiver (http/protobuf): "http://collector:4318". */
  endpoint: string;
  /** The share of new traces that is recorded, 0 to 1. */
  ratio: number;
}

export interface TracingOptions {
  service: string;
  version: string;
  /** Undefined: tracing is off, and its code is not even loaded. */
  tracing: TracingConfig | undefined;
  logger: Logger;
  metrics: Metrics;
}

/** Counts exports. Logs once that the receiver is lost and once that it is back. */
function createReport({ logger, metrics }: TracingOptions): (spans: number, arrived: boolean) => void {
  const exported = metrics.counter(
    'taskflow_trace_spans_total',
    'Spans sent to the receiver of traces, by whether they arrived.',
    ['outcome'],
  );
  let lost = false;
  return (spans, arrived) => {
    exported.inc({ outcome: arrived ? 'exported' : 'lost' }, spans);
    if (arrived === !lost) return;
    lost = !arrived;
    if (lost) logger.warn({ spans }, 'spans could not be exported');
    else logger.info({ spans }, 'spans are exported again');
  };
}

/** Starts to record. `stop` sends the remaining spans. */
export async function startTracing(options: TracingOptions): Promise<{ stop(): Promise<void> }> {
  const { tracing, service, version } = options;
  if (tracing === undefined) return { stop: () => Promise.resolve() };
  const [{ createOtlpTracer }, { traceRedis }] = await Promise.all([
    import('./otlp-tracer.ts'),
    import('./redis-spans.ts'),
  ]);
  const tracer = createOtlpTracer({
    url: `${tracing.endpoint.replace(/\/$/, '')}/v1/traces`,
    ratio: tracing.ratio,
    resource: {
      'service.name': service,
      'service.namespace': 'taskflow',
      'service.version': version,
      'service.instance.id': randomUUID(),
    },
    onExport: createReport(options),
  });
  useTracer(tracer);
  const untraceRedis = traceRedis();
  return {
    stop: async () => {
      useTracer(undefined);
      untraceRedis();
      await tracer.stop();
    },
  };
}
