/*
 * What clients know of the calls that they made. A call has one id for all of its attempts (x-request-id), and whatever it
 * wrote carries that id, or its title or e-mail address: so each effect can be counted where it is stored.
 */

/**
 * acknowledged: its effects are there, once. unknown: the client gave up without an answer, so all of them or none are
 * there. refused: the answer was an error of the client, or the call was only tried (validate_only): nothing is there.
 */
export type Outcome = 'acknowledged' | 'unknown' | 'refused';

/** A call that writes tasks. */
export interface WriteCall {
  requestId: string;
  userId: string;
  /** Titles of the tasks that it creates; each title belongs to one call. */
  creates: readonly string[];
  /** Ids of the tasks that it changes. */
  changes: readonly string[];
  outcome: Outcome;
}

/** A call that registers an account or signs in to one. */
export interface AccountCall {
  requestId: string;
  email: string;
  what: 'register' | 'login';
  outcome: Outcome;
}

/** Somebody saw a task that was not theirs. */
export interface Sighting {
  userId: string;
  taskId: string;
  through: string;
}

export interface CallLog {
  readonly writes: readonly WriteCall[];
  readonly accounts: readonly AccountCall[];
  readonly sightings: readonly Sighting[];
  write(call: WriteCall): void;
  account(call: AccountCall): void;
  saw(sighting: Sighting): void;
}

export function createCallLog(): CallLog {
  const [writes, accounts, sightings]: [WriteCall[], AccountCall[], Sighting[]] = [[], [], []];
  return {
    writes,
    accounts,
    sightings,
    write: (call) => void writes.push(call),
    account: (call) => void accounts.push(call),
    saw: (sighting) => void sightings.push(sighting),
  };
}
