import type { CallToolResult } from '@modelcontextprotocol/server';
import type { Naming } from './tools/argument-names.ts';
import { TaskFlowError, type ErrorCode, type FieldViolation } from '#client/index';

/** What an agent is told of a call that did not succeed. */
export interface Failure {
  code: ErrorCode;
  /** Why, such as TASK_NOT_FOUND; the contract lists all. */
  reason?: string;
  message: string;
  /** Every argument that is wrong. */
  violations?: readonly FieldViolation[];
  metadata?: Readonly<Record<string, string>>;
  retryAfterMs?: number;
  /** Names the call in the logs of the services. */
  callId?: string;
  /** Of a change: passing it again makes a repeat safe. */
  requestId?: string;
  advice: string;
}

const advice: Partial<Record<ErrorCode, string>> = {
  INVALID_ARGUMENT: 'Correct the arguments that are named, and call again.',
  UNAUTHENTICATED: 'The token is missing, wrong, or has ended. Tell the person; do not try again.',
  PERMISSION_DENIED: 'The token or the person may not do this. Tell the person; do not try again.',
  NOT_FOUND: 'There is none, or the person may not see it. Look for the right id.',
  ALREADY_EXISTS: 'It is there already. Read it before you decide.',
  FAILED_PRECONDITION: 'Something else must be so first. Read what it is about before you call again.',
  ABORTED: 'It was changed meanwhile. Read it again, and decide anew.',
  OUT_OF_RANGE: 'The place to go on from is gone. Begin again without it.',
  RESOURCE_EXHAUSTED: 'A limit is used up. Wait for retryAfterMs, or ask for less at once.',
  UNAVAILABLE: 'It cannot be reached now. Try again after a moment.',
  DEADLINE_EXCEEDED: 'It took too long. Try again after a moment, or ask for less at once.',
};

/** Whether a change without an answer happened is not known. */
const adviceForChanges: Partial<Record<ErrorCode, string>> = {
  UNAVAILABLE: 'It cannot be reached now. Try again after a moment, with the requestId that is named here.',
  DEADLINE_EXCEEDED: 'It took too long, and may still happen. Look whether it did, or repeat it with the requestId.',
};

const adviceOf = (code: ErrorCode, requestId: string | undefined): string =>
  (requestId === undefined ? undefined : adviceForChanges[code]) ?? advice[code] ?? 'Tell the person, with the callId.';

/** Where the error of a call without an answer comes from is nobody's business outside. */
const unanswered: Partial<Record<ErrorCode, string>> = {
  UNAVAILABLE: 'the service cannot be reached',
  DEADLINE_EXCEEDED: 'the service did not answer in time',
  CANCELLED: 'the call was given up',
};

function textOf({ code, reason, message }: TaskFlowError, violations: readonly FieldViolation[]): string {
  if (reason === undefined) return unanswered[code] ?? 'the call failed';
  const fields = [...new Set(violations.map(({ field, description }) => (field === '' ? description : field)))];
  // The service names the fields of its request.
  const words = message.replace(/^[\w.]+\/\w+: /, '');
  return words.startsWith('invalid: ') || reason === 'INVALID_FIELD' ? `invalid: ${fields.join(', ')}` : words;
}

/** More than anybody reads. */
export const maxViolations = 100;

/** Stands behind the last of those that are told, as services have it. */
export const andMore: FieldViolation = { field: '', description: 'and more' };

/** The first of them, and whether there are more. */
export function withinLimit(violations: readonly FieldViolation[]): FieldViolation[] {
  const named = violations.filter(({ field }) => field !== '');
  const [note] = violations.filter(({ field }) => field === '');
  const rest = named.length > maxViolations ? [andMore] : [note ?? []].flat();
  return [...named.slice(0, maxViolations), ...rest];
}

/** As a line; what is said of no field in particular stands alone. */
export const violationText = ({ field, description }: FieldViolation): string =>
  field === '' ? `- ${description}` : `- ${field}: ${description}`;

const isFilled = (value: unknown): boolean =>
  typeof value === 'object' && value !== null ? Object.keys(value).length > 0 : value !== undefined;

/** Of a change `requestId` is that of the call. */
export function toFailure(error: unknown, naming: Naming, requestId?: string): Failure {
  const known = error instanceof TaskFlowError ? error : new TaskFlowError('INTERNAL', 'the call failed');
  const { code, reason, metadata, retryAfterMs, callId } = known;
  const violations = known.violations.map(naming);
  const failure = {
    code,
    reason,
    message: textOf(known, violations),
    violations,
    metadata: reason === 'INVALID_FIELD' ? undefined : metadata,
    retryAfterMs,
    callId,
    requestId,
    advice: adviceOf(code, requestId),
  };
  return Object.fromEntries(Object.entries(failure).filter(([, value]) => isFilled(value))) as unknown as Failure;
}

/** In words, for agents that see only the text. */
export function failureText(failure: Failure): string {
  const { code, reason, message, violations = [], retryAfterMs, callId, requestId } = failure;
  return [
    `${reason === undefined ? code : `${code} / ${reason}`}: ${message}`,
    ...violations.map(violationText),
    ...(retryAfterMs === undefined ? [] : [`Retry after ${retryAfterMs} ms.`]),
    failure.advice,
    ...(requestId === undefined ? [] : [`requestId: ${requestId}`]),
    ...(callId === undefined ? [] : [`callId: ${callId}`]),
  ].join('\n');
}

export function failedResult(failure: Failure): CallToolResult {
  return {
    isError: true,
    content: [{ type: 'text', text: failureText(failure) }],
    structuredContent: { error: { ...failure } },
  };
}
