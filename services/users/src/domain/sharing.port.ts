/** What tasks knows of two people. */
export interface SharingPort {
  /** Whether the users share a task, as owner and assignee, or a project as members. Throws when tasks is down. */
  shareTask(userId: string, otherUserId: string): Promise<boolean>;
}
