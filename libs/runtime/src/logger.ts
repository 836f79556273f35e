import pino from 'pino';
import { createLineBuffer, type LineBuffer } from './line-buffer.ts';

export type Logger = pino.Logger;

/** Keys whose values are secrets in any log line, also in nested objects. */
const secretKeys = [
  'password',
  'passwordHash',
  'currentPassword',
  'newPassword',
  'token',
  'accessToken',
  'refreshToken',
  'refreshTokenHash',
  'invitationToken',
  'tokenHash',
  'mailTokenHash',
  'authorization',
  'secret',
  'privateKey',
  'encryptionKeys',
  'pageTokenKeys',
  'databaseUrl',
  'redisUrl',
  'url',
];

const redacted = '[redacted]';
const isSecret: ReadonlySet<string> = new Set(secretKeys);

/** The depth of redaction, counted from the line itself. */
const deepest = 4;

/** The value without secrets. Returns the same object when there are none, which is cheap for nearly all lines. */
function withoutSecrets(value: unknown, depth: number): unknown {
  // Values with their own JSON form (dates, buffers) have no keys to check.
  if (typeof value !== 'object' || value === null || depth > deepest || 'toJSON' in value) return value;
  let copy: Record<string, unknown> | undefined;
  for (const [key, child] of Object.entries(value)) {
    const clean = isSecret.has(key) ? redacted : withoutSecrets(child, depth + 1);
    if (clean !== child) (copy ??= { ...value })[key] = clean;
  }
  return copy ?? value;
}

/** Checks nested objects only: the line's own keys, and those of child loggers, have serializers. */
function redactNested(line: Record<string, unknown>): Record<string, unknown> {
  let copy: Record<string, unknown> | undefined;
  for (const key in line) {
    const value = line[key];
    // An error has a serializer, which keeps only known properties.
    if (typeof value !== 'object' || key === 'err') continue;
    const clean = withoutSecrets(value, 2);
    if (clean !== value) (copy ??= { ...line })[key] = clean;
  }
  return copy ?? line;
}

const redactKeys = Object.fromEntries(secretKeys.map((key) => [key, () => redacted]));

interface ErrorLine {
  type: string;
  message: string;
  code?: unknown;
  reason?: unknown;
  stack?: string;
  cause?: ErrorLine;
}

/** Keeps only harmless properties. An error's others may hold SQL with values, or a whole request. */
function serializeError(error: unknown, depth = 0): ErrorLine {
  if (!(error instanceof Error)) return { type: typeof error, message: 'not an Error' };
  const { code, reason } = error as { code?: unknown; reason?: unknown };
  const line: ErrorLine = { type: error.name, message: firstLine(error.message) };
  if (code !== undefined) line.code = code;
  if (reason !== undefined) line.reason = reason;
  if (depth === 0) line.stack = stackFrames(error.stack);
  if (error.cause !== undefined && depth < 4) line.cause = serializeError(error.cause, depth + 1);
  return line;
}

/** After the first line, messages of database drivers contain the statement and its values. */
function firstLine(message: string): string {
  return message.split('\n', 1)[0]?.slice(0, 500) ?? '';
}

function stackFrames(stack: string | undefined): string {
  return (stack ?? '')
    .split('\n')
    .filter((line) => /^\s+at /.test(line))
    .slice(0, 20)
    .join('\n');
}

let standardOutput: LineBuffer | undefined;

/** One buffer for the process, so that loggers keep the order of their lines. */
function openStandardOutput(): LineBuffer {
  if (standardOutput !== undefined) return standardOutput;
  const buffer = createLineBuffer(pino.destination({ dest: 1, sync: true }));
  // Runs after an uncaught exception too. A SIGKILL loses the lines of the last moment.
  process.on('exit', buffer.flush);
  return (standardOutput = buffer);
}

/**
 * A logger that writes one JSON line per event to standard output, at once for warnings, errors and audit lines, a
 * moment later for others. Secrets under their usual names become "[redacted]". An error under `err` is reduced to
 * type, code, first line of the message, stack and causes.
 */
export function createLogger(options: {
  service: string;
  level: string;
  destination?: pino.DestinationStream;
}): Logger {
  return pino(
    {
      level: options.level,
      base: { service: options.service, pid: process.pid },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }), log: redactNested },
      serializers: { ...redactKeys, err: (error: unknown) => serializeError(error) },
    },
    options.destination ?? openStandardOutput(),
  );
}
