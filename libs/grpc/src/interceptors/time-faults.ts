import { fromBinary } from '@bufbuild/protobuf';
import { DurationSchema, TimestampSchema } from '@bufbuild/protobuf/wkt';

/** Of google.protobuf.Timestamp: the first second of the year 1 and the last one of 9999. */
const firstSecond = -62_135_596_800n;
const lastSecond = 253_402_300_799n;
const maxNanos = 999_999_999;
/** Of google.protobuf.Duration: about 10,000 years either way. */
const longestSeconds = 315_576_000_000n;

function timestampFault(bytes: Uint8Array): string | undefined {
  const { seconds, nanos } = fromBinary(TimestampSchema, bytes);
  if (nanos < 0 || nanos > maxNanos) return `must have nanos from 0 to ${maxNanos}`;
  return seconds < firstSecond || seconds > lastSecond
    ? 'must be from 0001-01-01T00:00:00Z to 9999-12-31T23:59:59.999999999Z'
    : undefined;
}

function durationFault(bytes: Uint8Array): string | undefined {
  const { seconds, nanos } = fromBinary(DurationSchema, bytes);
  if (Math.abs(nanos) > maxNanos) return `must have nanos from -${maxNanos} to ${maxNanos}`;
  if ((seconds > 0n && nanos < 0) || (seconds < 0n && nanos > 0)) return 'must have seconds and nanos of the same sign';
  return seconds < -longestSeconds || seconds > longestSeconds
    ? `must have seconds from -${longestSeconds} to ${longestSeconds}`
    : undefined;
}

const faultOf: Readonly<Record<string, (bytes: Uint8Array) => string | undefined>> = {
  [TimestampSchema.typeName]: timestampFault,
  [DurationSchema.typeName]: durationFault,
};

/** Describes what is wrong with a serialized Timestamp or Duration. Other types have no fault. */
export function describeTimeFault(typeName: string, bytes: Uint8Array): string | undefined {
  return faultOf[typeName]?.(bytes);
}
