import { maxTimerMs } from '#libs/runtime';

/** The header with the time limit of a call. */
export const timeoutKey = 'grpc-timeout';

const unitMs = { H: 3_600_000, M: 60_000, S: 1000, m: 1, u: 0.001, n: 0.000_001 } as const;

/** One to eight digits and a unit. */
const timeoutValue = /^(\d{1,8})([HMSmun])$/;

/** Milliseconds; undefined when the text is no valid timeout. */
export function parseTimeout(text: string): number | undefined {
  const [, digits, unit] = timeoutValue.exec(text) ?? [];
  return digits === undefined ? undefined : Number(digits) * unitMs[unit as keyof typeof unitMs];
}

/**
 * Shortens timeouts that grpc-js cannot represent: it cuts milliseconds to 32 bits, so a call with `597H` would end at
 * once. The deadlines of all methods are shorter anyway. undefined: as `parseTimeout`.
 */
export function boundTimeout(text: string): string | undefined {
  const ms = parseTimeout(text);
  if (ms === undefined) return undefined;
  return ms > maxTimerMs ? `${Math.floor(maxTimerMs / 1000)}S` : text;
}

/** The deadline of a call that is sent now: milliseconds since 1970, or Infinity. */
export function deadlineAfter(timeoutMs: number | undefined): number {
  return timeoutMs === undefined || timeoutMs > maxTimerMs ? Infinity : Date.now() + timeoutMs;
}
