import { assertNoOpenTransaction, inSpan, steadyNow } from '#libs/runtime';
import { assertCallGoesOn, endOfCall, toDatabaseError } from './database-errors.ts';
import { keyTextOf } from './group-claims.ts';
import { GroupMember, type Ask, type GroupWrite, type Outcome } from './group-member.ts';
import { GroupTransaction, type GroupPlan } from './group-transaction.ts';
import type { Once } from './idempotency.ts';
import type { TransactionOptions } from './transaction.ts';
import type { UnitOfWork, UnitOfWorkOptions } from './unit-of-work.ts';

export interface GroupCommitOptions<R, Row, W extends GroupWrite, A extends Ask = Ask>
  extends TransactionOptions, Pick<UnitOfWorkOptions<R>, 'assertUsable' | 'explain' | 'onOutcome'> {
  plan: GroupPlan<R, Row, W, A>;
  /** Carries out what is alone, and what cannot be carried out in a group. */
  alone: UnitOfWork<R>;
  /** Called for each group, also of one, with the time that each of its works waited for its start. */
  onGroup?: ((waitsMs: readonly number[]) => void) | undefined;
}

/** What a group holds at most; the first work always fits. */
const most = { members: 64, requestBytes: 262_144 };
/**
 * So many groups may be younger than this; the second is made up here while the server works on the first. An older one
 * waits for something that need not concern the next.
 */
const young = { groups: 2, ms: 30 };

/**
 * A unit of work (see UnitOfWork) in which the works that arrive while others are carried out share one transaction.
 * Each has its own result, deadline and idempotency key, as if it ran by itself. What stands in its way, such as a row
 * that somebody else has locked, makes it run by itself, after its group.
 */
export function createGroupCommit<R, Row, W extends GroupWrite, A extends Ask>(
  options: GroupCommitOptions<R, Row, W, A>,
): UnitOfWork<R> {
  const { alone, assertUsable, explain, onOutcome = () => undefined } = options;
  const queue = new GroupQueue(options);
  /** Idempotency keys of running works. A second one waits by itself, in the database, and holds nobody up. */
  const keys = new Set<string>();

  async function resultOf<T>(outcome: Exclude<Outcome, { kind: 'alone' }>, once: Once<T> | undefined): Promise<T> {
    onOutcome(['committed', 'recorded'].includes(outcome.kind) ? 'committed' : 'rolled_back');
    if (outcome.kind === 'committed') return outcome.response as T;
    if (outcome.kind === 'recorded' && once !== undefined) return once.decode(outcome.response);
    throw outcome.kind === 'failed' ? toDatabaseError(await explain(outcome.error)) : endOfCall();
  }

  async function runInGroup<T>(work: (repositories: R) => Promise<T>, once: Once<T> | undefined): Promise<T> {
    const member = new GroupMember<R, Row, W, A>(work, once as Once<unknown> | undefined);
    const leave = (): void => member.leave();
    member.call?.signal.addEventListener('abort', leave, { once: true });
    try {
      const outcome = await inSpan({ name: 'group commit' }, () => queue.join(member));
      if (outcome.kind !== 'alone') return await resultOf(outcome, once);
      await member.stopped();
      if (member.step !== 'new') onOutcome('repeated');
      return await alone.run(work, once);
    } finally {
      member.call?.signal.removeEventListener('abort', leave);
      member.close();
    }
  }

  return {
    run: async (work, once) => {
      assertNoOpenTransaction('a unit of work');
      assertUsable();
      assertCallGoesOn();
      if (once === undefined || once.idempotencyKey === '') return runInGroup(work, once);
      const key = keyTextOf(once);
      if (keys.has(key)) return alone.run(work, once);
      keys.add(key);
      return runInGroup(work, once).finally(() => keys.delete(key));
    },
    dryRun: (work, once) => alone.dryRun(work, once),
  };
}

/** Decides which works make a group, and when it begins. Nobody waits for company. */
class GroupQueue<R, Row, W extends GroupWrite, A extends Ask> {
  readonly #options: GroupCommitOptions<R, Row, W, A>;
  #waiting: GroupMember<R, Row, W, A>[] = [];
  #young = 0;
  #isPlanned = false;

  constructor(options: GroupCommitOptions<R, Row, W, A>) {
    this.#options = options;
  }

  join(member: GroupMember<R, Row, W, A>): Promise<Outcome> {
    this.#waiting.push(member);
    this.#plan();
    return member.outcome;
  }

  /** Begins when everything that arrived together has been taken in; a lone work waits for next to nothing. */
  #plan(): void {
    if (this.#isPlanned || this.#young >= young.groups || this.#waiting.length === 0) return;
    this.#isPlanned = true;
    setImmediate(() => {
      this.#isPlanned = false;
      this.#start();
      this.#plan();
    });
  }

  #start(): void {
    const members = this.#take();
    if (members.length === 0) return;
    const now = steadyNow();
    this.#options.onGroup?.(members.map(({ joinedAt }) => now - joinedAt));
    this.#young += 1;
    let isYoung = true;
    const age = (): void => {
      if (isYoung) this.#young -= 1;
      isYoung = false;
      this.#plan();
    };
    const timer = setTimeout(age, young.ms);
    void this.#carryOut(members).finally(() => {
      clearTimeout(timer);
      age();
    });
  }

  /** The works that have waited longest, as many as fit. */
  #take(): GroupMember<R, Row, W, A>[] {
    for (const member of this.#waiting) member.checkCall();
    const waiting = this.#waiting.filter(({ isDecided }) => !isDecided);
    let [count, bytes] = [0, 0];
    for (const { requestBytes } of waiting) {
      bytes += requestBytes;
      if (count === most.members || (count > 0 && bytes > most.requestBytes)) break;
      count += 1;
    }
    this.#waiting = waiting.slice(count);
    return waiting.slice(0, count);
  }

  async #carryOut(members: readonly GroupMember<R, Row, W, A>[]): Promise<void> {
    const [first] = members;
    if (members.length > 1) {
      await new GroupTransaction(members, this.#options.plan, this.#options).carryOut();
    } else if (first !== undefined) {
      first.decide({ kind: 'alone' });
      await first.closed;
    }
  }
}
