import { AppError, invalidFields, type FieldViolation } from '#libs/errors';
import { isRetryable } from './task.errors.ts';

/** A member of a batch after parsing: its input, or why it is invalid. */
export type Member<T> = { input: T } | { error: AppError };
/** The result of a member. */
export type Outcome<T> = { value: T } | { error: AppError };

/** Converts a field path of the RPC for one task into one of the batch's request. */
export type Locate = (index: number, field: string) => string;

export const inRequests: Locate = (index, field) => `requests[${index}].${field}`;
/** A request to delete has no task in it. */
export const inDeletions: Locate = (index, field) =>
  inRequests(index, field.replace('task.id', 'task_id').replace('task.etag', 'etag'));
export const inTaskIds: Locate = (index) => `task_ids[${index}]`;

/** The field that an error without violations is about. */
const fieldsByReason: Partial<Record<AppError['reason'], string>> = {
  ETAG_MISMATCH: 'task.etag',
  ILLEGAL_STATUS_TRANSITION: 'task.status',
  ASSIGNEE_NOT_FOUND: 'task.assignee_id',
  ASSIGNEE_NOT_MEMBER: 'task.assignee_id',
  PROJECT_NOT_FOUND: 'task.project_id',
  OWNER_NOT_MEMBER: 'task.project_id',
  EXTERNAL_ID_TAKEN: 'task.external_id',
};

function violationsOf(error: AppError): FieldViolation[] {
  return error.details.violations ?? [{ field: fieldsByReason[error.reason] ?? 'task.id', description: error.message }];
}

/** A member's error with field paths that name its index. */
export function locateError(error: AppError, index: number, locate: Locate): AppError {
  const own = violationsOf(error);
  const fields = new Map(own.map(({ field }) => [field, locate(index, field)]));
  const violations = own.map(({ field, description }) => ({ field: locate(index, field), description }));
  if (error.kind === 'invalid_argument') return invalidFields(violations);
  const { kind, reason, message, details, cause } = error;
  const preconditions = details.preconditions?.map((each) => ({ ...each, subject: subjectIn(each.subject, fields) }));
  return new AppError(kind, reason, `${violations[0]?.field}: ${message}`, {
    details: { ...details, violations, ...(preconditions && { preconditions }) },
    cause,
  });
}

/** A precondition may be about a field of the member. Other subjects name a resource, wherever they stand. */
const subjectIn = (subject: string, fields: ReadonlyMap<string, string>): string => fields.get(subject) ?? subject;

/** Every violation of every member. */
export function misunderstood(members: readonly Member<unknown>[], locate: Locate): FieldViolation[] {
  return members.flatMap((member, index) =>
    'error' in member ? (locateError(member.error, index, locate).details.violations ?? []) : [],
  );
}

/**
 * Executes one member after the other. The first failure ends the batch, unless partial answers are allowed. What a retry may
 * help against always ends it.
 */
export function executeEach<T, R>(
  members: readonly Member<T>[],
  { allowPartial, locate }: { allowPartial: boolean; locate: Locate },
  execute: (input: T) => R,
): Outcome<R>[] {
  return members.map((member, index) => {
    try {
      if ('error' in member) throw member.error;
      return { value: execute(member.input) };
    } catch (error) {
      if (!(error instanceof AppError) || isRetryable(error)) throw error;
      const located = locateError(error, index, locate);
      if (!allowPartial) throw located;
      return { error: located };
    }
  });
}

export function inputsOf<T>(members: readonly Member<T>[]): T[] {
  return members.flatMap((member) => ('input' in member ? [member.input] : []));
}

export function valuesOf<T>(outcomes: readonly Outcome<T>[]): T[] {
  return outcomes.flatMap((outcome) => ('value' in outcome ? [outcome.value] : []));
}
