import { AppError, invalidFields, type FieldViolation } from '#libs/errors';
import { checkStructure } from './check-structure.ts';
import type { IncomingCall, Interceptor } from './chain.ts';

/** Decodes the request, unless there are violations. */
function decodeRequest(call: IncomingCall): FieldViolation[] {
  const { requestType, definition } = call.method;
  try {
    const violations = checkStructure(requestType, call.requestBytes);
    if (violations.length === 0) call.request = definition.requestDeserialize(call.requestBytes);
    return violations;
  } catch (cause) {
    throw new AppError('invalid_argument', 'MALFORMED_REQUEST', 'the request is not a valid message of its type', {
      cause,
    });
  }
}

/** Decodes the request, or refuses it. */
export function decode(): Interceptor {
  return async (call, next) => {
    const violations = decodeRequest(call);
    if (violations.length > 0) throw invalidFields(violations);
    await next();
  };
}
