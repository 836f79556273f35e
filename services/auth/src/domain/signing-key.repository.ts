import type { NewSigningKey, SigningKey } from './signing-key.entity.ts';

/** How long a rotation takes, counted from the database's now. */
export interface RotationTimes {
  /** From now until the new key signs. */
  publishMs: number;
  /** From then until the keys before it are retired. */
  retireMs: number;
}

export interface SigningKeyRepository {
  /** Every key but the retired ones, and the time by the database's clock. */
  listUsable(): Promise<{ keys: SigningKey[]; now: Date }>;
  /** Stores a key that signs at once, unless there is one already; also when replicas try at the same time. */
  addFirst(key: NewSigningKey): Promise<void>;
  /** Stores a key that will sign, and says when; the keys before it get their end. */
  addNext(key: NewSigningKey, times: RotationTimes): Promise<Date>;
}
