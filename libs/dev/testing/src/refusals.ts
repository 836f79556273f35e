import type { CallError } from '#dev/stubs';

/** The error of a call that must fail. */
export async function refusal(call: Promise<unknown>): Promise<CallError> {
  try {
    await call;
  } catch (error) {
    return error as CallError;
  }
  throw new Error('the call should have been refused');
}

/** The kind and reason of the error of a call that must fail. */
export async function refused(call: Promise<unknown>): Promise<{ kind: string; reason: string | undefined }> {
  const { kind, reason } = await refusal(call);
  return { kind, reason };
}

/** How a call that must fail is refused, for example "not_found/JOB_NOT_FOUND". */
export async function kindAndReason(call: Promise<unknown>): Promise<string> {
  const { kind, reason } = await refusal(call);
  return `${kind}/${reason}`;
}

/** The fields that a call which must fail is refused for. */
export async function invalidFields(call: Promise<unknown>): Promise<string[]> {
  const { kind, reason, details } = await refusal(call);
  if (kind !== 'invalid_argument' || reason !== 'INVALID_FIELD') throw new Error(`refused with ${kind} ${reason}`);
  return (details.violations ?? []).map((violation) => violation.field);
}
