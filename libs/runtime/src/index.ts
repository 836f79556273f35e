export { loadConfig, ConfigError } from './config.ts';
export { envTypes } from './env-types.ts';
export { addressType, loadServiceConfig, type ServiceConfig } from './service-config.ts';
export { createLogger, type Logger } from './logger.ts';
export {
  currentContext,
  newCallId,
  remainingMs,
  runInBackground,
  runWithContext,
  type Actor,
  type BackgroundOptions,
  type CallContext,
  type ServiceActor,
  type UserActor,
} from './context.ts';
export { assertNoOpenTransaction, runInsideTransaction } from './transaction-guard.ts';
export { armCrashPoints, crashPoint } from './crash-point.ts';
export { systemClock, type Clock } from './clock.ts';
export { startLoop, type Loop, type LoopOptions } from './loop.ts';
export { readBuildInfo, type BuildInfo } from './build-info.ts';
export { createMetrics, type Metrics } from './metrics.ts';
export type { ActiveSpan, NewSpan, SpanAttributes, SpanFailure, SpanKind } from './telemetry/span.ts';
export { isSampled, newSpanId, newTraceParent, traceIdOf } from './telemetry/trace-parent.ts';
export { failureOf, inSpan, isTracing, startSpan } from './telemetry/tracing.ts';
export { startTracing, type TracingConfig } from './telemetry/start-tracing.ts';
export { startHttpPort, type HttpMounts, type HttpPort } from './http-port.ts';
export { toPeerNetwork } from './peer-network.ts';
export { PortTakenError } from './port-taken.ts';
export { createParts, type Part } from './parts.ts';
export { serve, type RunningApp, type ServeOptions } from './serve.ts';
