import type { StoredEvent } from './pull.ts';

/** From where on somebody reads a shared part of the log. */
export interface Joining {
  incarnation: bigint;
  /** Events of this transaction and of earlier ones do not count. */
  transactionId: bigint;
}

/** One who reads a shared part of the log. */
export interface Membership extends Joining {
  userId: string;
  partId: string;
}

export const isBehindJoining = ({ position }: StoredEvent, { incarnation, transactionId }: Joining): boolean =>
  position.incarnation !== incarnation || position.transactionId > transactionId;

/** As the database tells them, by part. */
export type StoredParts = Record<string, [incarnation: string, transaction: string]>;

export const toParts = (stored: StoredParts): ReadonlyMap<string, Joining> =>
  new Map(
    Object.entries(stored).map(([partId, [incarnation, transaction]]) => [
      partId,
      { incarnation: BigInt(incarnation), transactionId: BigInt(transaction) },
    ]),
  );
