import {
  INVALID_SPAN_CONTEXT,
  ROOT_CONTEXT,
  SpanKind as OtelKind,
  SpanStatusCode,
  trace,
  type Context,
  type Link,
  type Span,
  type SpanContext,
  type Tracer as OtelTracer,
} from '@opentelemetry/api';
import { ExportResultCode, type ExportResult } from '@opentelemetry/core';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-proto';
import { resourceFromAttributes } from '@opentelemetry/resources';
import {
  BatchSpanProcessor,
  ParentBasedSampler,
  TracerProvider,
  TraceIdRatioBasedSampler,
  type ReadableSpan,
  type SpanExporter,
} from '@opentelemetry/sdk-trace';
import type { ActiveSpan, SpanAttributes, SpanKind, Tracer } from './span.ts';
import { formatTraceParent, isSampled, parseTraceParent } from './trace-parent.ts';

export interface OtlpOptions {
  /** The full URL: "http://collector:4318/v1/traces". */
  url: string;
  /** The share of new traces that is recorded, 0 to 1. A continued trace follows its caller. */
  ratio: number;
  /** Attributes of this process, in every span. */
  resource: SpanAttributes;
  /** Called after each export, with the number of spans and whether they arrived. */
  onExport(spans: number, arrived: boolean): void;
}

export interface OtlpTracer extends Tracer {
  /** Sends the remaining spans. Resolves also when nobody receives them. */
  stop(): Promise<void>;
}

// Further spans are dropped, so that the process does not grow while the collector is away.
const maxWaitingSpans = 8192;
const exportDelayMs = 1000;
const exportLimitMs = 3000;

const kinds: Readonly<Record<SpanKind, OtelKind>> = {
  internal: OtelKind.INTERNAL,
  server: OtelKind.SERVER,
  client: OtelKind.CLIENT,
  producer: OtelKind.PRODUCER,
  consumer: OtelKind.CONSUMER,
};

function toSpanContext(traceParent: string): SpanContext {
  const { flags, ...ids } = parseTraceParent(traceParent) ?? { ...INVALID_SPAN_CONTEXT, flags: 0 };
  return { ...ids, traceFlags: flags, isRemote: true };
}

function toTraceParent({ traceFlags: flags, ...ids }: SpanContext): string {
  return formatTraceParent({ ...ids, flags });
}

function toContext(parent: string): Context {
  return parent === '' ? ROOT_CONTEXT : trace.setSpanContext(ROOT_CONTEXT, toSpanContext(parent));
}

function toLinks(traceParents: readonly string[] = []): Link[] {
  return traceParents.filter(isSampled).map((traceParent) => ({ context: toSpanContext(traceParent) }));
}

function toActiveSpan(span: Span): ActiveSpan {
  let ended = false;
  return {
    traceParent: toTraceParent(span.spanContext()),
    set: (attributes) => void span.setAttributes(attributes),
    event: (name, attributes) => void span.addEvent(name, attributes),
    link: (traceParent) => void span.addLinks(toLinks([traceParent])),
    end: (failure) => {
      if (ended) return;
      ended = true;
      if (failure !== undefined)
        span.setAttribute('error.type', failure.type).setStatus({ code: SpanStatusCode.ERROR });
      span.end();
    },
  };
}

function startOn(tracer: OtelTracer): Tracer['start'] {
  return ({ name, kind = 'internal', attributes = {}, links, parent }) => {
    const span = tracer.startSpan(name, { kind: kinds[kind], attributes, links: toLinks(links) }, toContext(parent));
    return span.isRecording() ? toActiveSpan(span) : undefined;
  };
}

/** Reports each export before the processor sees its result. */
function reporting(exporter: SpanExporter, onExport: OtlpOptions['onExport']): SpanExporter {
  return {
    export: (spans: ReadableSpan[], done: (result: ExportResult) => void) =>
      exporter.export(spans, (result) => {
        onExport(spans.length, result.code === ExportResultCode.SUCCESS);
        done(result);
      }),
    shutdown: () => exporter.shutdown(),
  };
}

/**
 * Records spans and sends them by OTLP (http/protobuf). Headers, certificates and compression come from the standard
 * OTEL_EXPORTER_OTLP_* variables.
 */
export function createOtlpTracer({ url, ratio, resource, onExport }: OtlpOptions): OtlpTracer {
  const exporter = reporting(new OTLPTraceExporter({ url, timeoutMillis: exportLimitMs }), onExport);
  const processor = new BatchSpanProcessor({
    exporter,
    maxQueueSize: maxWaitingSpans,
    scheduledDelayMillis: exportDelayMs,
    exportTimeoutMillis: exportLimitMs,
  });
  const provider = new TracerProvider({
    sampler: new ParentBasedSampler({ root: new TraceIdRatioBasedSampler(ratio) }),
    resource: resourceFromAttributes(resource),
    spanLimits: { attributeValueLengthLimit: 200 },
    spanProcessors: [processor],
  });
  return { start: startOn(provider.getTracer('taskflow')), stop: () => provider.shutdown().catch(() => undefined) };
}
