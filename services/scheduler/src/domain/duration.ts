import type { Duration } from '#google/protobuf/duration';

export function toDuration(ms: number): Duration {
  return { seconds: BigInt(Math.floor(ms / 1_000)), nanos: (ms % 1_000) * 1_000_000 };
}
