import type { SigningKey } from './signing-key.entity.ts';

export interface SigningKeyRepository {
  /** Every key but the retired ones, oldest first. */
  listUsable(): Promise<SigningKey[]>;
  /** Stores the key unless another one is active, also when replicas try at the same time. */
  addUnlessOneIsActive(key: SigningKey): Promise<void>;
}
