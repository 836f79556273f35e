import { AppError } from '#libs/errors';
import { steadyNow, type CallContext } from '#libs/runtime';

export interface CallBudget {
  /** Milliseconds from now until the answer must be there. */
  timeoutMs: number;
  /** Whether the callee has at least 90 % of the time in the contract. If so, silence counts as its fault. */
  full: boolean;
}

/** Reserved at every hop, to receive the answer and to answer the own caller. */
const hopReserveMs = 50;
/** With less than this, a call is not sent. */
const minMs = 20;
/** Less than 1, because a caller with the same deadline as the callee never grants it in full: it keeps the reserve. */
const fullShare = 0.9;

/** Grants a call `wantedMs`, but no more than the current call has left. Throws DEADLINE_TOO_SHORT. */
export function planCall(context: CallContext | undefined, wantedMs: number, callee: string): CallBudget {
  const leftMs = context === undefined ? Infinity : context.deadline - hopReserveMs - steadyNow();
  if (leftMs < minMs)
    throw new AppError('deadline_exceeded', 'DEADLINE_TOO_SHORT', `too little time is left to ask ${callee}`, {
      details: { metadata: { service: callee } },
    });
  const grantedMs = Math.min(wantedMs, leftMs);
  return { timeoutMs: grantedMs, full: grantedMs >= wantedMs * fullShare };
}
