import pino from 'pino';

export type Logger = pino.Logger;

/** Keys whose values are secrets wherever they turn up in a log line, also one level down. */
const secretKeys = [
  'password',
  'passwordHash',
  'currentPassword',
  'newPassword',
  'token',
  'accessToken',
  'refreshToken',
  'refreshTokenHash',
  'authorization',
  'secret',
  'privateKey',
  'encryptionKey',
  'databaseUrl',
  'redisUrl',
  'url',
];

const redactedPaths = secretKeys.flatMap((key) => [key, `*.${key}`, `*.*.${key}`]);

interface ErrorLine {
  type: string;
  message: string;
  code?: unknown;
  reason?: unknown;
  stack?: string;
  cause?: ErrorLine;
}

/** Only what is known to be harmless: an error's other properties may hold SQL with values, or a whole request. */
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

/** Messages of database drivers go on with the statement and its values after the first line. */
function firstLine(message: string): string {
  return message.split('\n', 1)[0]?.slice(0, 500) ?? '';
}

function stackFrames(stack: string | undefined): string {
  return (stack ?? '').split('\n').filter((line) => /^\s+at /.test(line)).slice(0, 20).join('\n');
}

/**
 * A logger that writes one JSON line per event to standard output. Secrets under their usual names are replaced by
 * "[redacted]"; an error under `err` is reduced to type, code, first line of the message, stack and causes.
 */
export function createLogger(options: { service: string; level: string; destination?: pino.DestinationStream }): Logger {
  return pino(
    {
      level: options.level,
      base: { service: options.service, pid: process.pid },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      redact: { paths: redactedPaths, censor: '[redacted]' },
      serializers: { err: (error: unknown) => serializeError(error) },
    },
    options.destination ?? pino.destination({ dest: 1, sync: true }),
  );
}
