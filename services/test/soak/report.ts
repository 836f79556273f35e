import type { Abuse } from './abuse.ts';
import type { Impression } from './bystander.ts';
import type { Endurance } from './endurance.ts';
import type { Overload } from './overload.ts';

const ms = (value: number): string => `${value.toFixed(1)} ms`;
const megabytes = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(1)} MiB`;
const percent = (share: number): string => `${(share * 100).toFixed(1)} %`;
const refusalsOf = ({ refusals }: Impression): string => Object.entries(refusals).map(([name, times]) => `${times} × ${name}`).join(', ');

export function describeOverload({ peakPerSecond, offeredPerSecond, goodPerSecond, goodput, goodputOfCpu, accepted, refused, crowd, bystander, residentBytes }: Overload): string {
  return [
    'invariant 9: overload',
    `  peak ${peakPerSecond.toFixed(0)} calls/s, offered ${offeredPerSecond.toFixed(0)}, answered ${goodPerSecond.toFixed(0)}: goodput ${percent(goodput)} of the peak, ${percent(goodputOfCpu)} by the CPU that the service used`,
    `  ${accepted.count} answered in ${ms(accepted.p50Ms)} / ${ms(accepted.p99Ms)} (p50 / p99), ${refused.count} refused in ${ms(refused.p50Ms)} / ${ms(refused.p99Ms)}`,
    `  the crowd itself used ${crowd.processors.toFixed(2)} processors and was late by ${ms(crowd.lateP50Ms)} / ${ms(crowd.lateP99Ms)}`,
    `  somebody else: ${bystander.calls} calls, ${refusalsOf(bystander) || 'none refused'}; health answers in ${ms(bystander.healthP99Ms)} (p99)`,
    `  resident memory ${megabytes(residentBytes.before)} before, ${megabytes(residentBytes.after)} after`,
  ].join('\n');
}

export function describeAbuse(seen: readonly Abuse[]): string {
  const calm = seen.find(({ name }) => name === 'undisturbed')?.bystander;
  const rows = seen.map(({ name, bystander, residentBytes, heapBytes }) => {
    const ratio = calm === undefined ? '' : `${(bystander.p99Ms / calm.p99Ms).toFixed(2)} ×`;
    return [name, String(bystander.calls), ms(bystander.p50Ms), ms(bystander.p99Ms), ratio, megabytes(residentBytes), megabytes(heapBytes), refusalsOf(bystander)];
  });
  const table = [['', 'calls of others', 'p50', 'p99', 'p99 ratio', 'resident', 'heap', 'refused'], ...rows];
  const widths = (table[0] ?? []).map((_, column) => Math.max(...table.map((row) => (row[column] ?? '').length)));
  return ['invariant 10: abuse', ...table.map((row) => `  ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ').trimEnd()}`)].join('\n');
}

export function describeEndurance({ calls, callsPerSecond, heapBytes, growth }: Endurance): string {
  return [
    'invariant 13: endurance',
    `  ${calls} calls at ${callsPerSecond.toFixed(0)}/s; heap ${megabytes(heapBytes[0] ?? 0)} at first, ${megabytes(Math.max(...heapBytes))} at most, ${megabytes(heapBytes.at(-1) ?? 0)} at last`,
    `  growth of the heap after garbage collection: ${percent(growth)}`,
  ].join('\n');
}
