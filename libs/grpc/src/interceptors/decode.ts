import { fromBinary, toBinary, type DescMessage } from '@bufbuild/protobuf';
import { AppError, invalidFields, type FieldViolation } from '#libs/errors';
import { checkStructure, type Faults } from './check-structure.ts';
import type { IncomingCall, Interceptor } from './chain.ts';
import { spoilFaultyTimes } from './faulty-times.ts';

interface CheckedBytes {
  bytes: Buffer;
  faults: Faults;
}

/** Joins the parts of a message to one, as protobuf has it; the generated decoders would keep the last part alone. */
function checkBytes(type: DescMessage, bytes: Buffer): CheckedBytes {
  const structure = checkStructure(type, bytes);
  if (!structure.isSplit || structure.sizes.length > 0) return { bytes, faults: structure };
  const joined = Buffer.from(toBinary(type, fromBinary(type, bytes)));
  return { bytes: joined, faults: checkStructure(type, joined) };
}

/** Decodes the request, unless a list or a text is much too long. No schema takes its invalid times. */
function decodeRequest(call: IncomingCall): Faults {
  const { requestType: type, definition } = call.method;
  try {
    const { bytes, faults } = checkBytes(type, call.requestBytes);
    if (faults.sizes.length > 0) return faults;
    call.request = definition.requestDeserialize(bytes);
    if (faults.times.length > 0) call.request = definition.requestDeserialize(spoilFaultyTimes(type, bytes));
    return faults;
  } catch (cause) {
    throw new AppError('invalid_argument', 'MALFORMED_REQUEST', 'the request is not a valid message of its type', {
      cause,
    });
  }
}

/** What is wrong with times, told exactly, together with what else the handler has found. */
function join(times: readonly FieldViolation[], error: unknown): unknown {
  if (!(error instanceof AppError) || error.reason !== 'INVALID_FIELD') return error;
  const told = new Set(times.map(({ field }) => field));
  const others = error.details.violations?.filter(({ field }) => !told.has(field)) ?? [];
  return invalidFields([...times, ...others]);
}

/** Decodes the request, or refuses it. An invalid time is refused by the schema, with every other violation. */
export function decode(): Interceptor {
  return async (call, next) => {
    const { sizes, times } = decodeRequest(call);
    if (sizes.length > 0) throw invalidFields([...sizes, ...times]);
    try {
      await next();
    } catch (error) {
      throw times.length > 0 ? join(times, error) : error;
    }
  };
}
