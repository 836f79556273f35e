/** The place of an event in the order in which transactions become final. */
export interface Position {
  /**
   * The incarnation of the log: transaction ids of two incarnations are never compared. 0 in rows from before
   * incarnations.
   */
  incarnation: bigint;
  transactionId: bigint;
  eventId: bigint;
}

export function isBefore(a: Position, b: Position): boolean {
  if (a.incarnation !== b.incarnation) return a.incarnation < b.incarnation;
  return a.transactionId < b.transactionId || (a.transactionId === b.transactionId && a.eventId < b.eventId);
}

/** As the parameters of a statement: incarnation, transaction, event. */
export function toParameters({ incarnation, transactionId, eventId }: Position): [string, string, string] {
  return [String(incarnation), String(transactionId), String(eventId)];
}

/** The position as text: for keys, logs and sealed tokens. */
export function positionKey(position: Position): string {
  return toParameters(position).join('/');
}
