export interface RemovedUserRepository {
  /** Remembers that nothing is to be made for the user any more. */
  add(userId: string): Promise<void>;
  /**
   * Removes up to `limit` notifications of the user with their deliveries and mails, or deliveries to the user's
   * webhooks, or, when there are none left, the rest. Returns whether anything may be left.
   */
  removeBatch(userId: string, limit: number): Promise<boolean>;
}
