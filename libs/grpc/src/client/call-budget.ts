import { AppError } from '#libs/errors';
import type { CallContext } from '#libs/runtime';

export interface CallBudget {
  /** Milliseconds since 1970. */
  deadline: number;
  /** Whether the callee has (nearly) all the time that it may expect, so that silence counts against it. */
  full: boolean;
}

/** Kept back at every hop, to receive the answer and to answer in turn. */
const hopReserveMs = 50;
/** With less than this a call is not even sent. */
const minMs = 20;
/** A caller with the same deadline as the callee would otherwise never grant it in full, because of the reserve. */
const fullShare = 0.9;

/** When the answer of a call must be there: after `wantedMs`, but within the deadline of the call we work for. */
export function planCall(context: CallContext | undefined, wantedMs: number, callee: string): CallBudget {
  const now = Date.now();
  const leftMs = context === undefined ? Infinity : context.deadline - hopReserveMs - now;
  if (leftMs < minMs) throw new AppError('deadline_exceeded', 'DEADLINE_TOO_SHORT', `too little time is left to ask ${callee}`);
  const grantedMs = Math.min(wantedMs, leftMs);
  return { deadline: now + grantedMs, full: grantedMs >= wantedMs * fullShare };
}
