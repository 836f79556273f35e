import type { ProjectRole } from '#contract/tasks/v1/projects';
import { AppError } from '#libs/errors';
import type { PersonErrors } from './people.ts';
import { uncheckedPerson } from './task.errors.ts';

export const maxMembers = 500;
export const maxProjects = 200;

const projectName = (projectId: string): string => `projects/${projectId}`;
const resourceOf = (projectId: string) => ({ type: 'taskflow.tasks.v1.Project', name: projectName(projectId) });
const memberName = (projectId: string, userId: string): string => `${projectName(projectId)}/members/${userId}`;
const memberResource = (projectId: string, userId: string) => ({
  type: 'taskflow.tasks.v1.ProjectMember',
  name: memberName(projectId, userId),
});

/** The same for projects that the caller may not see, so that callers cannot tell whether a project exists. */
export function projectNotFound(projectId: string): AppError {
  return new AppError('not_found', 'PROJECT_NOT_FOUND', 'no such project', {
    details: { metadata: { projectId }, resource: resourceOf(projectId) },
  });
}

export function memberNotFound(projectId: string, userId: string): AppError {
  return new AppError('not_found', 'MEMBER_NOT_FOUND', 'the person is no member of the project', {
    details: { metadata: { projectId, userId }, resource: memberResource(projectId, userId) },
  });
}

export function roleRequired(projectId: string, role: ProjectRole): AppError {
  const name = role.replace('PROJECT_ROLE_', '');
  return new AppError('permission_denied', 'ROLE_REQUIRED', `the role ${name} in the project is needed`, {
    details: { metadata: { projectId, role: name } },
  });
}

export function listOfAllRefused(): AppError {
  return new AppError('permission_denied', 'ADMIN_REQUIRED', 'only administrators may list the projects of everybody');
}

export function projectArchived(projectId: string): AppError {
  const description = 'the project is archived; open it again first';
  return new AppError('failed_precondition', 'PROJECT_ARCHIVED', description, {
    details: {
      metadata: { projectId },
      preconditions: [{ type: 'PROJECT_STATE', subject: projectName(projectId), description }],
    },
  });
}

/** `id`: of the project, or of the person who is a member. */
export function projectEtagMismatch(projectId: string, userId?: string): AppError {
  const what = userId === undefined ? 'project' : 'member';
  return new AppError('aborted', 'ETAG_MISMATCH', `the ${what} has changed since the etag was read; read it again`, {
    details: {
      metadata: { id: userId ?? projectId },
      resource: userId === undefined ? resourceOf(projectId) : memberResource(projectId, userId),
    },
  });
}

export function memberExists(projectId: string, userId: string): AppError {
  return new AppError('already_exists', 'MEMBER_EXISTS', 'the person is a member of the project', {
    details: { metadata: { projectId, userId }, resource: memberResource(projectId, userId) },
  });
}

export function tooManyMembers(projectId: string): AppError {
  const description = `a project may have ${maxMembers} members`;
  return new AppError('failed_precondition', 'TOO_MANY_MEMBERS', description, {
    details: {
      metadata: { projectId, maxMemberCount: String(maxMembers) },
      preconditions: [{ type: 'MEMBER_COUNT', subject: projectName(projectId), description }],
    },
  });
}

/** Does not say of how many projects somebody else is a member. */
export function tooManyProjects(subject: string): AppError {
  const description = `a person may be a member of ${maxProjects} projects`;
  return new AppError('failed_precondition', 'TOO_MANY_PROJECTS', description, {
    details: {
      metadata: { maxProjectCount: String(maxProjects) },
      preconditions: [{ type: 'PROJECT_COUNT', subject, description }],
    },
  });
}

export function lastManager(projectId: string): AppError {
  const description = 'a project needs a manager; make somebody else one first, or delete the project';
  return new AppError('failed_precondition', 'LAST_MANAGER', description, {
    details: {
      metadata: { projectId },
      preconditions: [{ type: 'MANAGER_COUNT', subject: projectName(projectId), description }],
    },
  });
}

/** Who becomes a member, when they cannot be one or cannot be found. */
export const memberErrors: PersonErrors = {
  notFound: (userId) => {
    const description = 'the person does not exist or is disabled';
    return new AppError('failed_precondition', 'PERSON_NOT_FOUND', description, {
      details: { metadata: { userId }, preconditions: [{ type: 'PERSON', subject: `users/${userId}`, description }] },
    });
  },
  emailNotFound: () => {
    const description = 'the caller finds nobody by this e-mail';
    return new AppError('failed_precondition', 'PERSON_NOT_FOUND', description, {
      details: {
        violations: [{ field: 'email', description }],
        preconditions: [{ type: 'PERSON', subject: 'email', description }],
      },
    });
  },
  unchecked: (cause) => uncheckedPerson('the person cannot be checked now', cause),
};
