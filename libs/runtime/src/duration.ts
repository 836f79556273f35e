/** google.protobuf.Duration: whole seconds and the nanoseconds of the last one, both of the same sign. */
export interface ProtobufDuration {
  seconds: bigint;
  nanos: number;
}

/** Milliseconds as a Duration; parts of a millisecond are rounded. */
export function toDuration(ms: number): ProtobufDuration {
  const whole = Math.round(ms);
  const seconds = Math.trunc(whole / 1_000);
  return { seconds: BigInt(seconds), nanos: (whole - seconds * 1_000) * 1_000_000 };
}

/** A Duration in milliseconds, without parts of a millisecond. Exact for every Duration. */
export function toMilliseconds({ seconds, nanos }: ProtobufDuration): number {
  return Number(seconds) * 1_000 + Math.trunc(nanos / 1_000_000);
}
