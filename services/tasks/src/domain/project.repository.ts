import type { Member, Project } from './project.entity.ts';
import type { ProjectWrite } from './project.events.ts';

/** The projects and their members, for changes. The lock on a project orders all changes of its members too. */
export interface ProjectRepository {
  /** Locks the project until the transaction ends, deleted or not. */
  lock(projectId: string): Promise<Project | undefined>;
  /** The member, to be read behind the lock on the project. */
  findMember(projectId: string, userId: string): Promise<Member | undefined>;
  /** How many managers the project has, to be counted behind the lock on it. */
  countManagers(projectId: string): Promise<number>;
  /** Of how many projects that are not deleted the person is a member. Nobody else counts or joins for them meanwhile. */
  countProjects(userId: string): Promise<number>;
  /** The most projects, deleted ones left out, that one of the project's members is in. */
  countMostProjects(projectId: string): Promise<number>;
  /**
   * Writes rows and events, and the response of the idempotency key, in one statement; the transaction ends with it,
   * because it locks the heads of streams. Returns the response.
   */
  write<T>(writes: readonly ProjectWrite[], response: T): Promise<T>;
  /** A project that the person is a member of, deleted or not. */
  findOneOf(userId: string): Promise<string | undefined>;
  /** Who would be the manager if the person went: of the highest role the one who joined first. */
  findHeir(projectId: string, userId: string): Promise<Member | undefined>;
  /** Removes the rows of the project. */
  remove(projectId: string): Promise<void>;
  /** Removes recorded answers to these users that name the project. */
  removeAnswers(projectId: string, toUserIds: readonly string[]): Promise<void>;
  /** Removes up to `limit` projects without tasks whose purge time is over by the database's clock. Returns how many. */
  purge(limit: number): Promise<number>;
}
