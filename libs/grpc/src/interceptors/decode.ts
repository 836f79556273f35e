import { fromBinary, toBinary, type DescMessage } from '@bufbuild/protobuf';
import { AppError, invalidFields, type FieldViolation } from '#libs/errors';
import { checkStructure } from './check-structure.ts';
import type { IncomingCall, Interceptor } from './chain.ts';

interface CheckedBytes {
  bytes: Buffer;
  violations: FieldViolation[];
}

/** Joins the parts of a message to one, as protobuf has it; the generated decoders would keep the last part alone. */
function checkBytes(type: DescMessage, bytes: Buffer): CheckedBytes {
  const { violations, isSplit } = checkStructure(type, bytes);
  if (!isSplit || violations.length > 0) return { bytes, violations };
  const joined = Buffer.from(toBinary(type, fromBinary(type, bytes)));
  return { bytes: joined, violations: checkStructure(type, joined).violations };
}

/** Decodes the request, unless there are violations. */
function decodeRequest(call: IncomingCall): FieldViolation[] {
  const { requestType, definition } = call.method;
  try {
    const { bytes, violations } = checkBytes(requestType, call.requestBytes);
    if (violations.length === 0) call.request = definition.requestDeserialize(bytes);
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
