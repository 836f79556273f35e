import type { Duration } from '@bufbuild/protobuf/wkt';

const units = [
  { seconds: 86_400, name: 'day' },
  { seconds: 3600, name: 'hour' },
  { seconds: 60, name: 'minute' },
  { seconds: 1, name: 'second' },
];

/** "5 minutes", "90 seconds": in the largest unit that it is a whole number of. */
export function durationInWords(duration: Pick<Duration, 'seconds' | 'nanos'> | undefined): string {
  const seconds = Number(duration?.seconds ?? 0n) + (duration?.nanos ?? 0) / 1e9;
  if (seconds < 1) return `${Math.round(seconds * 1000)} ms`;
  const unit = units.find(({ seconds: size }) => seconds % size === 0) ?? { seconds: 1, name: 'second' };
  const count = Math.round((seconds / unit.seconds) * 10) / 10;
  return `${count} ${unit.name}${count === 1 ? '' : 's'}`;
}
