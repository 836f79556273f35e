import type { Prune } from '../events/retention.ts';
import type { DeadLetterValues } from './dead-letter.columns.ts';

/** A job that died. */
export type NewDeadLetter = Omit<DeadLetterValues, 'createTime' | 'state' | 'resolveTime' | 'resolverId'>;

export interface DeadLetterRepository {
  /** Does nothing when the job has a dead letter already. */
  add(deadLetter: NewDeadLetter): Promise<void>;
  /** Locks an open one and records the decision; undefined when there is none or it was closed before. */
  close(id: string, state: 'retried' | 'discarded', actorId: string): Promise<DeadLetterValues | undefined>;
  exists(id: string): Promise<boolean>;
  /** Prunes dead letters that were retried or discarded. */
  prune: Prune;
}
