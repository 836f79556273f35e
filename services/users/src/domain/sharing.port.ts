/** What tasks knows of two people. */
export interface SharingPort {
  /** Whether the users share a task: one of them owns it, and it is assigned to the other. Throws when tasks is down. */
  shareTask(userId: string, otherUserId: string): Promise<boolean>;
}
