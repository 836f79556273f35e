import { randomUUID } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { ProjectRole, projectRoleToNumber, UpdateProjectRequest, type Project } from '#contract/tasks/v1/projects';
import { kindAndReason } from '#dev/testing';
import { policies } from '#libs/contract';
import { byId, createProject } from './start-projects.ts';
import { useTasks, useUsers, type TestUser } from './start-tasks.ts';

const { VIEWER, COMMENTER, EDITOR, MANAGER, UNSPECIFIED } = ProjectRole;
const states = ['open', 'archived', 'deleted'] as const;
type State = (typeof states)[number];

/** Who calls: the role in the project, UNSPECIFIED for no member, and whether it is an administrator. */
interface Caller {
  role: ProjectRole;
  admin: boolean;
}

const callers: Caller[] = [UNSPECIFIED, VIEWER, COMMENTER, EDITOR, MANAGER].flatMap((role) =>
  [false, true].map((admin) => ({ role, admin })),
);

/* The rules, written a second time. */

const notFound = 'not_found/PROJECT_NOT_FOUND';
const readOnly = ['UpdateProject', 'AddMember', 'SetMemberRole', 'InviteMember', 'ResendProjectInvitation'];
/** What everybody may do who sees the project. */
const ofViewers = ['GetProject', 'ListMembers', 'ListProjectWatchers', 'StopWatchingProject'];
/** What only members do: administrators who are none cannot leave, and would be told nothing. */
const ofMembers = ['LeaveProject', 'StartWatchingProject'];

function expectedOf(method: string, caller: Caller, state: State): string {
  const { role, admin } = caller;
  const manages = [admin, role === MANAGER].includes(true);
  if (state === 'deleted') return manages && method === 'UndeleteProject' ? 'OK' : notFound;
  if (!admin && role === UNSPECIFIED) return notFound;
  if (ofViewers.includes(method)) return 'OK';
  // There is another manager.
  if (ofMembers.includes(method)) return role === UNSPECIFIED ? 'not_found/MEMBER_NOT_FOUND' : 'OK';
  return manages ? expectedOfManager(method, caller, state) : 'permission_denied/ROLE_REQUIRED';
}

function expectedOfManager(method: string, { role }: Caller, state: State): string {
  if (state === 'archived' && readOnly.includes(method)) return 'failed_precondition/PROJECT_ARCHIVED';
  // There is no such invitation.
  if (method.endsWith('ProjectInvitation')) return 'not_found/PROJECT_INVITATION_NOT_FOUND';
  // Of themselves, since users is down here and nobody else can be checked.
  return method === 'AddMember' && role !== UNSPECIFIED ? 'already_exists/MEMBER_EXISTS' : 'OK';
}

describe('B10 every role may do in every project what the table says', () => {
  const service = useTasks();
  const [creator, other, user, admin] = useUsers(service, 'user', 'user', 'user', 'admin');

  /** Each only checks, so that the next call finds the project as this one did. */
  const calls: Record<string, (projectId: string, { as }: TestUser) => Promise<unknown>> = {
    GetProject: (projectId, { as }) => service.projects.getProject({ projectId }, as),
    UpdateProject: (id, { as }) => {
      const request = UpdateProjectRequest.fromPartial({ project: { id, name: 'x' }, validateOnly: true });
      return service.projects.updateProject(request, as);
    },
    ArchiveProject: (projectId, { as }) => service.projects.archiveProject({ projectId, validateOnly: true }, as),
    UnarchiveProject: (projectId, { as }) => service.projects.unarchiveProject({ projectId, validateOnly: true }, as),
    DeleteProject: (projectId, { as }) => service.projects.deleteProject({ projectId, validateOnly: true }, as),
    UndeleteProject: (projectId, { as }) => service.projects.undeleteProject({ projectId, validateOnly: true }, as),
    AddMember: (projectId, { userId, as }) =>
      service.projects.addMember({ projectId, person: byId(userId), role: EDITOR, validateOnly: true }, as),
    ListMembers: (projectId, { as }) => service.projects.listMembers({ projectId }, as),
    SetMemberRole: (projectId, { as }) => {
      const request = { projectId, userId: other.userId, role: EDITOR, validateOnly: true };
      return service.projects.setMemberRole(request, as);
    },
    RemoveMember: (projectId, { as }) =>
      service.projects.removeMember({ projectId, userId: other.userId, validateOnly: true }, as),
    LeaveProject: (projectId, { as }) => service.projects.leaveProject({ projectId, validateOnly: true }, as),
    StartWatchingProject: (projectId, { as }) =>
      service.projects.startWatchingProject({ projectId, validateOnly: true }, as),
    StopWatchingProject: (projectId, { as }) =>
      service.projects.stopWatchingProject({ projectId, validateOnly: true }, as),
    ListProjectWatchers: (projectId, { as }) => service.projects.listProjectWatchers({ projectId }, as),
    InviteMember: (projectId, { as }) =>
      service.projects.inviteMember({ projectId, email: 'new@example.com', role: EDITOR, validateOnly: true }, as),
    ListProjectInvitations: (projectId, { as }) => service.projects.listProjectInvitations({ projectId }, as),
    CancelProjectInvitation: (projectId, { as }) =>
      service.projects.cancelProjectInvitation({ projectId, invitationId: randomUUID(), validateOnly: true }, as),
    ResendProjectInvitation: (projectId, { as }) =>
      service.projects.resendProjectInvitation({ projectId, invitationId: randomUUID(), validateOnly: true }, as),
  };

  async function prepare(state: State, { role }: Caller, caller: TestUser): Promise<Project> {
    const project = await createProject(service.projects, creator);
    const join = (userId: string, as: ProjectRole) =>
      service.sql('insert into project_members values ($1, $2, $3, 1, now(), now())', [
        project.id,
        userId,
        projectRoleToNumber(as),
      ]);
    await join(other.userId, VIEWER);
    if (role !== UNSPECIFIED) await join(caller.userId, role);
    const which = { projectId: project.id };
    if (state === 'archived') await service.projects.archiveProject(which, creator.as);
    if (state === 'deleted') await service.projects.deleteProject(which, creator.as);
    return project;
  }

  it('and knows every method but those that name no project', () => {
    const named = [...policies.values()].filter(({ service: name }) => name.endsWith('.ProjectsService'));
    expect([...Object.keys(calls), 'CreateProject', 'ListProjects'].toSorted()).toEqual(
      named.map(({ method }) => method).toSorted(),
    );
  });

  it.each(states)('%s', async (state) => {
    const [expected, actual]: Record<string, string>[] = [{}, {}];
    for (const caller of callers) {
      const person = caller.admin ? admin : user;
      const { id } = await prepare(state, caller, person);
      for (const [method, call] of Object.entries(calls)) {
        const name = `${method} by ${caller.admin ? 'an administrator, ' : ''}${caller.role}`;
        Object.assign(expected ?? {}, { [name]: expectedOf(method, caller, state) });
        const outcome = await call(id, person).then(
          () => 'OK',
          (error: unknown) => kindAndReason(Promise.reject(error)),
        );
        Object.assign(actual ?? {}, { [name]: outcome });
      }
    }
    expect(actual).toEqual(expected);
  });
});
