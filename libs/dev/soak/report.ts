import { alignColumns } from '#dev/cluster';
import type { Abuse } from './abuse.ts';
import type { Impression } from './baseline-client.ts';
import { megabytes, type Endurance } from './endurance.ts';
import type { Overload } from './overload.ts';

const ms = (value: number): string => `${value.toFixed(1)} ms`;
const percent = (share: number): string => `${(share * 100).toFixed(1)} %`;
const refusalsOf = ({ refusals }: Impression): string =>
  Object.entries(refusals)
    .map(([name, times]) => `${times} × ${name}`)
    .join(', ');

export function describeOverload({
  peakPerSecond,
  offeredPerSecond,
  goodPerSecond,
  goodput,
  goodputOfCpu,
  accepted,
  refused,
  generator,
  baseline,
  residentBytes,
}: Overload): string {
  return [
    'invariant 9: overload',
    `  peak ${peakPerSecond.toFixed(0)} calls/s, offered ${offeredPerSecond.toFixed(0)}, answered ${goodPerSecond.toFixed(0)}: goodput ${percent(goodput)} of the peak, ${percent(goodputOfCpu)} by the CPU that the service used`,
    `  ${accepted.count} answered in ${ms(accepted.p50Ms)} / ${ms(accepted.p99Ms)} (p50 / p99), ${refused.count} refused in ${ms(refused.p50Ms)} / ${ms(refused.p99Ms)}`,
    `  the load generator itself used ${generator.processors.toFixed(2)} processors and was late by ${ms(generator.lateP50Ms)} / ${ms(generator.lateP99Ms)}`,
    `  somebody else: ${baseline.calls} calls, ${refusalsOf(baseline) || 'none refused'}; health answers in ${ms(baseline.healthP99Ms)} (p99)`,
    `  resident memory ${megabytes(residentBytes.before)} before, ${megabytes(residentBytes.after)} after`,
  ].join('\n');
}

export function describeAbuse(seen: readonly Abuse[]): string {
  const calm = seen.find(({ name }) => name === 'undisturbed')?.baseline;
  const rows = seen.map(({ name, baseline, residentBytes, heapBytes }) => {
    const ratio = calm === undefined ? '' : `${(baseline.p99Ms / calm.p99Ms).toFixed(2)} ×`;
    return [
      name,
      String(baseline.calls),
      ms(baseline.p50Ms),
      ms(baseline.p99Ms),
      ratio,
      megabytes(residentBytes),
      megabytes(heapBytes),
      refusalsOf(baseline),
    ];
  });
  const table = [['', 'calls of others', 'p50', 'p99', 'p99 ratio', 'resident', 'heap', 'refused'], ...rows];
  return ['invariant 10: abuse', ...alignColumns(table).map((line) => `  ${line}`)].join('\n');
}

export function describeEndurance({ calls, callsPerSecond, heapBytes, growth }: Endurance): string {
  return [
    'invariant 13: endurance',
    `  ${calls} calls at ${callsPerSecond.toFixed(0)}/s; heap ${megabytes(heapBytes[0])} at first, ${megabytes(Math.max(...heapBytes))} at most, ${megabytes(heapBytes.at(-1))} at last`,
    `  growth of the heap after garbage collection: ${percent(growth)}`,
  ].join('\n');
}
