import { AppError, invalidFields, type FieldViolation } from '#libs/errors';

/** One member of a batch as it was read: what it asks for, or why it cannot be understood. */
export type Member<T> = { input: T } | { error: AppError };
/** What became of a member. */
export type Outcome<T> = { value: T } | { error: AppError };

/** Where in the request of the batch a member's field stands, given where it stands in the RPC for one task. */
export type Locate = (index: number, field: string) => string;

export const inTasks: Locate = (index, field) => field.replace(/^task\b/, `tasks[${index}]`);
export const inRequests: Locate = (index, field) => `requests[${index}].${field}`;
export const inTaskIds: Locate = (index) => `task_ids[${index}]`;

/** The field that an error without violations is about. */
const fieldsByReason: Partial<Record<AppError['reason'], string>> = {
  ETAG_MISMATCH: 'task.etag',
  ILLEGAL_STATUS_TRANSITION: 'task.status',
  ASSIGNEE_NOT_FOUND: 'task.assignee_id',
  EXTERNAL_ID_TAKEN: 'task.external_id',
};

function violationsOf(error: AppError): FieldViolation[] {
  return error.details.violations ?? [{ field: fieldsByReason[error.reason] ?? 'task.id', description: error.message }];
}

/** A member's error, which names its index, for the answer to the batch. */
export function locateError(error: AppError, index: number, locate: Locate): AppError {
  const violations = violationsOf(error).map(({ field, description }) => ({ field: locate(index, field), description }));
  if (error.kind === 'invalid_argument') return invalidFields(violations);
  const { kind, reason, message, details, cause } = error;
  return new AppError(kind, reason, `${violations[0]?.field}: ${message}`, { details: { ...details, violations }, cause });
}

/** Every violation of every member in one error; undefined when all could be understood. */
export function misunderstood(members: readonly Member<unknown>[], locate: Locate): AppError | undefined {
  const violations = members.flatMap((member, index) => ('error' in member ? (locateError(member.error, index, locate).details.violations ?? []) : []));
  return violations.length === 0 ? undefined : invalidFields(violations);
}

/**
 * Carries out one member after the other. The first failure ends the batch, unless partial answers are allowed; a
 * service that does not answer always does, since trying again may help then.
 */
export function carryOutEach<T, R>(members: readonly Member<T>[], { allowPartial, locate }: { allowPartial: boolean; locate: Locate }, carryOut: (input: T) => R): Outcome<R>[] {
  return members.map((member, index) => {
    try {
      if ('error' in member) throw member.error;
      return { value: carryOut(member.input) };
    } catch (error) {
      if (!(error instanceof AppError) || error.kind === 'unavailable') throw error;
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
