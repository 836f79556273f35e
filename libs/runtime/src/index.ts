export { loadConfig, ConfigError } from './config.ts';
export { decodeCanonical } from './canonical-base64.ts';
export { envTypes } from './env-types.ts';
export { addressType, loadServiceConfig, readDatabaseUrl, type ServiceConfig } from './service-config.ts';
export { processEntries, settingOf, toProcessConfig, type ProcessConfig } from './process-config.ts';
export { createLogger, type Logger } from './logger.ts';
export {
  currentContext,
  newRequestId,
  remainingMs,
  runInBackground,
  runWithContext,
  type Actor,
  type CallContext,
  type UserActor,
} from './context.ts';
export { assertNoOpenTransaction, runInsideTransaction } from './transaction-guard.ts';
export { armCrashPoints, crashPoint } from './crash-point.ts';
export { createSharedClock, steadyNow, systemClock, type Clock, type SharedClock } from './clock.ts';
export { maxTimerMs, timerMs } from './timer.ts';
export { backoffMs } from './backoff.ts';
export { batchPerTurn } from './batch-per-turn.ts';
export { createWakeableSleep, sleep } from './sleep.ts';
export { settlesWithin } from './time-limit.ts';
export { startLoop, type Loop, type LoopOptions } from './loop.ts';
export { readBuildInfo } from './build-info.ts';
export { createMetrics, type Metrics } from './metrics.ts';
export type { ActiveSpan, SpanAttributes } from './telemetry/span.ts';
export { continueTrace, isSampled, newTraceParent, parseTraceParent, traceIdOf } from './telemetry/trace-parent.ts';
export { endSpansAfter, failureOf, inSpan, isTracing, startSpan } from './telemetry/tracing.ts';
export { startTracing } from './telemetry/start-tracing.ts';
export { namesService } from './tls/check-certificates.ts';
export {
  openCertificates,
  openClientCertificates,
  withoutOwnCertificate,
  type Certificates,
} from './tls/certificates.ts';
export { acceptsPlaintext, callsByTls, type TlsMode } from './tls/tls-mode.ts';
export { findOptionalTlsFaults, readTlsSettings, type TlsSettings } from './tls/tls-settings.ts';
export { startHttpPort, type HttpPages } from './http-port.ts';
export { toPeerNetwork } from './peer-network.ts';
export { toDuration, toMilliseconds } from './duration.ts';
export { listenOn, PortTakenError } from './listen.ts';
export { createParts, type Part } from './parts.ts';
export { serve, type RunningApp, type RunningProcess } from './serve.ts';
