import type { JoinOutcome, ProjectInviteeValues } from './project-invitee.columns.ts';
import type { ProjectJoin } from './project-invitee.repository.ts';

export interface ProjectInviteeReader {
  findProjectInviteeByToken(tokenHash: string): Promise<ProjectInviteeValues | undefined>;
  /** Those of the invitations that are kept. */
  listProjectInvitees(ids: readonly string[]): Promise<ProjectInviteeValues[]>;
}

/** The service that has the projects. */
export interface Projects {
  /** What became of somebody who has accepted an invitation; the same for every repeat. */
  join(join: ProjectJoin): Promise<JoinOutcome>;
}

export interface JoinAttempts {
  /** Resolves when tasks was asked once, or shortly anyway. Never rejects. */
  waitFor(invitationId: string): Promise<void>;
  /** Runs an attempt, and resolves whoever waits for it, however it ends. */
  attempt(invitationId: string, run: () => Promise<void>): Promise<void>;
}
