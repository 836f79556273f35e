import { ProjectRole, projectRoleToNumber } from '#contract/tasks/v1/projects';
import type { Person } from './person.ts';
import { projectNotFound, roleRequired } from './project.errors.ts';

export type ProjectAction = 'see' | 'comment' | 'write' | 'manage';

/** The least role that may do it. */
const leastRoles: Readonly<Record<ProjectAction, ProjectRole>> = {
  see: ProjectRole.VIEWER,
  comment: ProjectRole.COMMENTER,
  write: ProjectRole.EDITOR,
  manage: ProjectRole.MANAGER,
};

/** Whether a person with this role in a project, undefined = no member, may do something in it. */
export function mayInProject(person: Person, role: ProjectRole | undefined, action: ProjectAction): boolean {
  if (person.role === 'admin') return true;
  return role !== undefined && projectRoleToNumber(role) >= projectRoleToNumber(leastRoles[action]);
}

/** What is said of a project that the person may not see is the same as of one that does not exist. */
export function requireInProject(
  person: Person,
  { projectId, role }: { projectId: string; role: ProjectRole | undefined },
  action: ProjectAction,
): void {
  if (!mayInProject(person, role, 'see')) throw projectNotFound(projectId);
  if (!mayInProject(person, role, action)) throw roleRequired(projectId, leastRoles[action]);
}
