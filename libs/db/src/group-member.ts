import { currentContext, runInsideTransaction, runWithContext, steadyNow, type CallContext } from '#libs/runtime';
import type { Once } from './idempotency.ts';

/** What a work adds to its group's last statement. */
export interface GroupWrite {
  rowCount: number;
  /** Roughly what it adds to the statement, without the response. */
  sizeBytes: number;
}

/** The row that a work asks for; a plan may want to know more about it. */
export interface Ask {
  key: string;
}

/** What the repositories of one work of a group stand on. */
export interface GroupSeat<Row, W extends GroupWrite, A extends Ask = Ask> {
  /**
   * Locks the row with this key until the transaction ends. One row for each work. When the row is missing, or somebody
   * else has it, the work does not go on and is carried out again by itself.
   */
  lock(ask: A): Promise<Row>;
  /** Writes at the end, together with the others. Resolves when it is written; the work returns `response`. */
  finish<T>(response: T, write: W): Promise<T>;
}

/** What became of a work. */
export type Outcome =
  | { kind: 'committed'; response: unknown }
  | { kind: 'recorded'; response: Uint8Array }
  | { kind: 'failed'; error: unknown }
  /** Its call is over. */
  | { kind: 'ended' }
  /** It has to be carried out by itself. */
  | { kind: 'alone' };

/** Ends a work that does not go on in its group. Nobody else sees it. */
class LeftGroup extends Error {}

interface Finished<W> {
  response: unknown;
  /** The response as the idempotency key records it; empty without a key. */
  encoded: Uint8Array;
  /** Undefined when the work ended without a write. */
  write: W | undefined;
}

const noBytes = new Uint8Array();

/** One work on its way through a group. */
export class GroupMember<R, Row, W extends GroupWrite, A extends Ask = Ask> {
  /** Undefined without an idempotency key. */
  readonly once: Once<unknown> | undefined;
  readonly call: CallContext | undefined = currentContext();
  readonly joinedAt = steadyNow();
  /** Of its request. */
  readonly requestBytes: number;
  /** Whether the group's transaction has claimed its idempotency key. */
  holdsClaim = false;
  /** `working` = it may still ask for something, `waiting` = for a row or for its write. */
  step: 'new' | 'working' | 'waiting' | 'done' | 'failed' = 'new';
  /** The row that it has asked for. */
  wanted: A | undefined;
  /** Set when there is nothing to do for it but to write. */
  finished: Finished<W> | undefined;
  /** Called when it stops working for whatever reason. */
  onPause: () => void = () => undefined;
  /** Called when its call is over before its outcome was known. */
  onLeave: () => void = () => undefined;
  /** Its write is being committed, so the end of its call comes too late. */
  isCommitting = false;
  readonly #closed = Promise.withResolvers<void>();
  readonly #work: (repositories: R) => Promise<unknown>;
  readonly #outcome = Promise.withResolvers<Outcome>();
  #isDecided = false;
  #isOut = false;
  #granted: PromiseWithResolvers<unknown> | undefined;
  #running: Promise<void> | undefined;

  constructor(work: (repositories: R) => Promise<unknown>, once: Once<unknown> | undefined) {
    this.#work = work;
    this.once = once?.idempotencyKey === '' ? undefined : once;
    this.requestBytes = once?.sizeBytes ?? 0;
  }

  get outcome(): Promise<Outcome> {
    return this.#outcome.promise;
  }

  /** Resolves when its caller has its answer. */
  get closed(): Promise<void> {
    return this.#closed.promise;
  }

  close(): void {
    this.#closed.resolve();
  }

  get isDecided(): boolean {
    return this.#isDecided;
  }

  /** Whether it takes part in its group's transaction: neither put out nor over. */
  get isIn(): boolean {
    return !this.#isDecided && !this.#isOut;
  }

  /** Only the first outcome counts. */
  decide(outcome: Outcome): void {
    if (this.#isDecided) return;
    this.#isDecided = true;
    this.#outcome.resolve(outcome);
  }

  /** Its call is over. */
  leave(): void {
    if (this.#isDecided || this.isCommitting) return;
    this.decide({ kind: 'ended' });
    this.onLeave();
  }

  /** Finds out whether its call is over: a timer may be late, and the process may have stood still. */
  checkCall(): void {
    if (this.call !== undefined && (this.call.signal.aborted || steadyNow() >= this.call.deadline)) this.leave();
  }

  /** Begins the work, in its own call. */
  start(repositories: (seat: GroupSeat<Row, W, A>) => R): void {
    this.step = 'working';
    this.#running = runWithContext(this.call, () =>
      runInsideTransaction(async () => this.#work(repositories(this.#seat))),
    ).then(
      (response) => this.#end(response),
      (error: unknown) => this.#fail(error),
    );
  }

  /** Lets the work go on with what it waits for. */
  resume(value?: unknown): void {
    this.step = 'working';
    this.#granted?.resolve(value);
    this.#granted = undefined;
  }

  /** Takes it out of the group: what its work waits for or asks for from now on ends the work. */
  putOut(): void {
    this.#isOut = true;
    this.#granted?.reject(new LeftGroup());
    this.#granted = undefined;
  }

  /** Resolves when its work no longer runs. Call it after `putOut` or at the end. */
  async stopped(): Promise<void> {
    await this.#running;
  }

  readonly #seat: GroupSeat<Row, W, A> = {
    lock: (ask) => {
      // A second row would be locked out of order.
      if (this.wanted !== undefined) this.putOut();
      this.wanted = ask;
      return this.#wait() as Promise<Row>;
    },
    finish: async (response, write) => {
      this.#finish(response, write);
      await this.#wait();
      return response;
    },
  };

  #finish(response: unknown, write: W | undefined): void {
    if (this.finished !== undefined) throw new Error('a unit of work has one final statement');
    this.finished = { response, encoded: this.once?.encode(response) ?? noBytes, write };
  }

  #wait(): Promise<unknown> {
    if (this.#isOut) return Promise.reject(new LeftGroup());
    this.#granted = Promise.withResolvers();
    this.#pause('waiting');
    return this.#granted.promise;
  }

  #pause(step: 'waiting' | 'done' | 'failed'): void {
    this.step = step;
    this.onPause();
  }

  #end(response: unknown): void {
    try {
      if (this.finished === undefined) this.#finish(response, undefined);
      else if (this.finished.response !== response)
        throw new Error('a unit of work returns the response of its final statement');
      this.#pause('done');
    } catch (error) {
      this.#fail(error);
    }
  }

  #fail(error: unknown): void {
    if (!this.#isOut) this.decide({ kind: 'failed', error });
    this.#pause('failed');
  }
}
