import type { EntityManager } from '@mikro-orm/postgresql';
import { AppError } from '#libs/errors';
import { runWithContext, type CallContext } from '#libs/runtime';
import { runAfterCommit } from './after-commit.ts';
import type { CommonTable } from './final-statement.ts';
import { claimAll, findRecorded, keyTextOf, recordedResponses, releaseAll } from './group-claims.ts';
import type { Ask, GroupMember, GroupSeat, GroupWrite } from './group-member.ts';
import { responseOf, type Once } from './idempotency.ts';
import { faultKind } from './sql-state.ts';
import { beginTransaction, type TransactionOptions } from './transaction.ts';

/** How the works of a group read and write together. Row is what a work may lock, W what it writes. */
export interface GroupPlan<R, Row, W extends GroupWrite, A extends Ask = Ask> {
  /** What a work may use. */
  repositories(seat: GroupSeat<Row, W, A>): R;
  /** Locks those of the rows that are there and that nobody holds, without waiting. Returns them by their keys. */
  lock(em: EntityManager, asks: readonly A[]): Promise<ReadonlyMap<string, Row>>;
  /** Those of the writes that cannot succeed beside what is stored or beside an earlier one of them. */
  findCollisions(em: EntityManager, writes: readonly W[]): Promise<ReadonlySet<W>>;
  /** Sends the last statement, with `ctes` as a part of it. */
  write(em: EntityManager, writes: readonly W[], ctes: readonly CommonTable[]): Promise<void>;
}

/** What the last statement of a group holds at most; the first write always fits. */
const most = { rows: 200, bytes: 1_048_576 };

/** A stream's head or a key may be held for long; a group does not wait for it, since that could concern one alone. */
const lockTimeoutMs = 250;

/** A member that was written is no longer in: all of it is rolled back. */
class BrokenGroup extends Error {}

/** Carries out the works of several calls in one transaction. */
export class GroupTransaction<R, Row, W extends GroupWrite, A extends Ask> {
  readonly #members: readonly GroupMember<R, Row, W, A>[];
  readonly #plan: GroupPlan<R, Row, W, A>;
  readonly #options: TransactionOptions;
  readonly #ended = new AbortController();
  #onQuiet: (() => void) | undefined;

  constructor(
    members: readonly GroupMember<R, Row, W, A>[],
    plan: GroupPlan<R, Row, W, A>,
    options: TransactionOptions,
  ) {
    this.#members = members;
    this.#plan = plan;
    this.#options = options;
    for (const member of members) {
      member.onPause = () => this.#noticeQuiet();
      member.onLeave = () => this.#noticeEnd();
    }
  }

  /** Decides every member: those who cannot be carried out together are to be carried out alone. Never rejects. */
  async carryOut(): Promise<void> {
    try {
      await runWithContext(this.#context(), () => this.#carryOut());
    } catch (error) {
      if (isForAll(error)) for (const member of this.#members) member.decide({ kind: 'failed', error });
    }
    for (const member of this.#members) {
      member.putOut();
      member.decide({ kind: 'alone' });
    }
  }

  async #carryOut(): Promise<void> {
    const transaction = await beginTransaction(this.#options, lockTimeoutMs);
    try {
      const ready = await this.#prepare(transaction.em);
      if (ready.length > 0) {
        await this.#write(transaction.em, ready);
        for (const member of ready) member.isCommitting = true;
        await transaction.commit();
        for (const member of ready) member.decide({ kind: 'committed', response: member.finished?.response });
        runAfterCommit(transaction.em);
      }
    } finally {
      await transaction.rollback();
    }
  }

  /** Carries the works out as far as their writes, and returns those that can be written together. */
  async #prepare(em: EntityManager): Promise<readonly GroupMember<R, Row, W, A>[]> {
    await this.#claim(em);
    for (const member of this.#in()) member.start((seat) => this.#plan.repositories(seat));
    await this.#quiet();
    await this.#lock(em);
    await this.#putOutCollisions(em);
    for (const member of this.#members) member.checkCall();
    return this.#in();
  }

  async #claim(em: EntityManager): Promise<void> {
    const keyed = this.#members.filter(hasKey);
    if (keyed.length === 0) return;
    const claimed = await claimAll(
      em,
      keyed.map(({ once }) => once),
    );
    for (const member of keyed) member.holdsClaim = claimed.has(keyTextOf(member.once));
    const others = keyed.filter(({ holdsClaim }) => !holdsClaim);
    if (others.length > 0) await this.#answerRecorded(em, others);
  }

  async #answerRecorded(em: EntityManager, members: readonly Keyed<GroupMember<R, Row, W, A>>[]): Promise<void> {
    const records = await findRecorded(
      em,
      members.map(({ once }) => once),
    );
    for (const member of members) {
      const record = records.get(keyTextOf(member.once));
      try {
        // It was pruned between the two statements, which is rare.
        if (record === undefined) member.putOut();
        else member.decide({ kind: 'recorded', response: responseOf(record, member.once) });
      } catch (error) {
        member.decide({ kind: 'failed', error });
      }
    }
  }

  /** Locks what the works ask for. A row belongs to the first that asks for it. */
  async #lock(em: EntityManager): Promise<void> {
    const owners = new Map<string, GroupMember<R, Row, W, A>>();
    for (const member of this.#in().filter(isLocking)) {
      const { key } = member.wanted as A;
      if (owners.has(key)) member.putOut();
      else owners.set(key, member);
    }
    if (owners.size > 0) {
      const rows = await this.#plan.lock(
        em,
        [...owners.values()].map(({ wanted }) => wanted as A),
      );
      for (const [key, member] of owners) {
        if (rows.has(key)) member.resume(rows.get(key));
        else member.putOut();
      }
      await this.#quiet();
    }
    // Whoever asks only now, or is still at something else, would hold the others up.
    for (const member of this.#in()) if (member.finished === undefined) member.putOut();
  }

  async #putOutCollisions(em: EntityManager): Promise<void> {
    const size = { rows: 0, bytes: 0 };
    for (const [index, member] of this.#in().entries()) {
      const added = sizeOf(member);
      size.rows += added.rows;
      size.bytes += added.bytes;
      if (index > 0 && (size.rows > most.rows || size.bytes > most.bytes)) member.putOut();
    }
    const writers = this.#in().flatMap((member) => writesOf([member]).map((write) => ({ member, write })));
    if (writers.length === 0) return;
    const collisions = await this.#plan.findCollisions(
      em,
      writers.map(({ write }) => write),
    );
    for (const { member, write } of writers) if (collisions.has(write)) member.putOut();
  }

  /** Sends the last statement and lets the works end. Throws when one of them does not go on to the commit. */
  async #write(em: EntityManager, ready: readonly GroupMember<R, Row, W, A>[]): Promise<void> {
    const given = this.#members.filter(hasKey).filter((member) => member.holdsClaim && !ready.includes(member));
    if (given.length > 0)
      await releaseAll(
        em,
        given.map(({ once }) => once),
      );
    const recorded = ready
      .filter(hasKey)
      .map(({ once, finished }) => ({ request: once, response: finished?.encoded ?? new Uint8Array() }));
    await this.#plan.write(em, writesOf(ready), recorded.length === 0 ? [] : [recordedResponses(recorded)]);
    for (const member of ready) if (member.step === 'waiting') member.resume();
    await Promise.all(ready.map((member) => member.stopped()));
    for (const member of ready) member.checkCall();
    if (ready.some((member) => !member.isIn || member.step !== 'done')) throw new BrokenGroup();
  }

  #in(): GroupMember<R, Row, W, A>[] {
    return this.#members.filter((member) => member.isIn);
  }

  /** Resolves when no work goes on any more, or after a moment. */
  async #quiet(): Promise<void> {
    if (!this.#members.some(isWorking)) return;
    await new Promise<void>((resolve) => {
      this.#onQuiet = resolve;
      setImmediate(resolve);
    });
  }

  #noticeQuiet(): void {
    if (this.#onQuiet !== undefined && !this.#members.some(isWorking)) this.#onQuiet();
  }

  /** When all calls are over, so is the running statement. */
  #noticeEnd(): void {
    if (this.#members.every((member) => member.isDecided)) this.#ended.abort();
  }

  /** Statements run until the latest deadline, unless every call is over before. Each call has a span of its own. */
  #context(): CallContext | undefined {
    const call = this.#members.find((member) => member.call !== undefined)?.call;
    const deadline = Math.max(...this.#members.map((member) => member.call?.deadline ?? Infinity));
    return call && { ...call, deadline, signal: this.#ended.signal, span: undefined };
  }
}

type Keyed<M> = M & { once: Once<unknown> };

function hasKey<M extends { once: Once<unknown> | undefined }>(member: M): member is Keyed<M> {
  return member.once !== undefined;
}

const isWorking = ({ step }: { step: string }): boolean => step === 'working';

const isLocking = ({ step, finished }: { step: string; finished: unknown }): boolean =>
  step === 'waiting' && finished === undefined;

interface Finishing<W> {
  finished: { write: W | undefined; encoded: Uint8Array } | undefined;
}

function sizeOf({ finished }: Finishing<GroupWrite>): { rows: number; bytes: number } {
  const { rowCount = 0, sizeBytes = 0 } = finished?.write ?? {};
  return { rows: rowCount, bytes: sizeBytes + (finished?.encoded.length ?? 0) };
}

function writesOf<W extends GroupWrite>(members: readonly Finishing<W>[]): W[] {
  return members.flatMap(({ finished }) => finished?.write ?? []);
}

/** A fault that would befall each of them: the database is away or too busy. Others may be one member's own. */
function isForAll(error: unknown): boolean {
  return error instanceof AppError || ['connection', 'pool_exhausted'].includes(faultKind(error) ?? '');
}
