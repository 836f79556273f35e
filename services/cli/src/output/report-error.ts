import { CommanderError } from 'commander';
import { TaskFlowError, type ServiceName } from '#client/index';
import { callExitCodes, exitCodes } from '../exit-codes.ts';
import { Failure, Interrupted, UsageError } from '../faults.ts';
import { lines, paint } from './text.ts';

/** Which flags and arguments the fields of requests come from. */
const flags: Readonly<Record<string, string>> = {
  'task.title': 'the title',
  'task.description': '--description',
  'task.priority': '--priority',
  'task.status': '--status',
  'task.due_time': '--due',
  'task.due_day': '--due',
  'task.labels': '--label',
  assignee_email: '--assignee',
  order_by: '--order',
  text: '--search',
  labels: '--label',
  email: 'the e-mail',
  password: 'the password',
  display_name: '--name',
  invitation_token: '--invitation',
  name: 'the name',
  scopes: '--scope',
  ttl: '--expires',
  reason: '--reason',
};

/** task.labels[1] comes from --label. */
function toFlag(field: string): string {
  const flag = flags[field.replaceAll(/\[\d+\]/g, '').replace(/^(task\.due_(time|day))\..*/, '$1')];
  return flag === undefined ? field : flag;
}

const hints: Readonly<Record<string, string>> = {
  UNAUTHENTICATED: 'sign in with "taskflow login"',
  UNAVAILABLE: 'ask each service with "taskflow doctor"',
  ETAG_MISMATCH: 'somebody else was faster: look at it with "taskflow show", and try again',
};

/** The message of a service, or that none answered. */
function tellWhat({ code, reason, message }: TaskFlowError, whereIs: (service: ServiceName) => string): string {
  const [, service, said = message] = /^taskflow\.(\w+)\.v1\.\w+\/\w+: ([\s\S]*)$/.exec(message) ?? [];
  if (code !== 'UNAVAILABLE' || reason !== undefined || service === undefined) return said;
  return `${service} does not answer at ${whereIs(service as ServiceName)} (${said})`;
}

function explainCall(error: TaskFlowError, whereIs: (service: ServiceName) => string): string[] {
  const { code, reason, violations, callId, retryAfterMs } = error;
  const details = [
    ...violations.map(({ field, description }) => `${toFlag(field)} ${description}`),
    retryAfterMs && `try again in ${Math.ceil(retryAfterMs / 1000)} s`,
    hints[reason ?? ''] ?? hints[code],
    callId && `call ${callId}`,
  ];
  const names = [code, reason].filter((name) => name !== undefined);
  return [
    `${tellWhat(error, whereIs)} (${names.join(', ')})`,
    ...details.filter((line) => typeof line === 'string').map((line) => `  ${line}`),
  ];
}

export interface ErrorReport {
  isJson: boolean;
  /** Of a service, for the message when it does not answer. */
  whereIs: (service: ServiceName) => string;
}

/** In place of the gRPC code of a call, for what went wrong without one. */
function localCodeOf(error: Error): string {
  const exitCode = exitCodeOf(error);
  if (exitCode === exitCodes.usage) return 'WRONG_ARGUMENTS';
  return Object.entries(callExitCodes).find(([, number]) => number === exitCode)?.[0] ?? 'LOCAL_FAULT';
}

function toJsonError(error: Error): object {
  const code = localCodeOf(error);
  if (error instanceof CommanderError) {
    const isHelp = error.code === 'commander.help';
    return { code, message: isHelp ? 'say which command' : error.message.replace(/^error: /, '') };
  }
  if (!(error instanceof TaskFlowError)) return { code, message: error.message };
  return toJsonCall(error);
}

function toJsonCall(error: TaskFlowError): object {
  const { code, reason, message, violations, callId, retryAfterMs, metadata } = error;
  return { code, reason, message, violations, metadata, retryAfterMs, callId };
}

function describe(error: Error, { whereIs }: ErrorReport): string[] {
  if (error instanceof TaskFlowError) return explainCall(error, whereIs);
  if (error instanceof UsageError) return [error.message, '  "--help" behind a command tells what it takes'];
  return [error.message];
}

function exitCodeOf(error: unknown): number {
  if (error instanceof TaskFlowError) return callExitCodes[error.code];
  if (error instanceof UsageError || error instanceof CommanderError) return exitCodes.usage;
  return error instanceof Failure ? error.exitCode : exitCodes.failed;
}

/** Tells the user what went wrong, on standard error. Returns the exit code. */
export function reportError(error: unknown, report: ErrorReport): number {
  if (error instanceof Interrupted) return exitCodes.interrupted;
  if (error instanceof CommanderError && error.exitCode === 0) return 0;
  const fault = error instanceof Error ? error : new Error(String(error));
  // Commander has told it in words.
  if (error instanceof CommanderError && !report.isJson) return exitCodes.usage;
  const text = report.isJson
    ? JSON.stringify({ error: toJsonError(fault) }, undefined, 2)
    : describe(fault, report)
        .map((line, index) =>
          index === 0 ? `${paint('red', 'taskflow:', process.stderr)} ${lines(line)}` : lines(line),
        )
        .join('\n');
  process.stderr.write(`${text}\n`);
  return exitCodeOf(error);
}
