import { randomUUID } from 'node:crypto';
import {
  Project,
  ProjectRole,
  UpdateProjectRequest,
  type InternalProjectsServiceService,
  type ProjectsServiceService,
} from '#contract/tasks/v1/projects';
import { everybody, newAccount, type Call, type Rows } from './access-rows.ts';
import { newEmail } from './test-cluster.ts';

const foreignProject = 'NOT_FOUND/PROJECT_NOT_FOUND';
const seenByMembers = { owner: 'OK', assignee: 'OK', other: foreignProject, admin: 'OK' };
const managed = { owner: 'OK', assignee: 'PERMISSION_DENIED/ROLE_REQUIRED', other: foreignProject, admin: 'OK' };
/** The owner manages it, the assignee views it. */
const oneProject = async ({ testCluster, people }: Call): Promise<{ projectId: string }> => ({
  projectId: (await testCluster.createProject(people.owner, people.assignee)).id,
});
/** The viewer is somebody new where the same person stands for everybody. */
const viewerOf = async ({ testCluster, people: { owner, assignee } }: Call): Promise<object> => {
  const viewer = assignee.id === owner.id ? await testCluster.register() : assignee;
  return { projectId: (await testCluster.createProject(owner, viewer)).id, userId: viewer.id };
};

const openInvitation = async (call: Call): Promise<{ projectId: string; invitationId: string }> => {
  const { projectId } = await oneProject(call);
  const { owner } = call.people;
  return { projectId, invitationId: await call.testCluster.inviteMember(owner, projectId) };
};

export const projectRows: Rows<typeof ProjectsServiceService> = {
  CreateProject: {
    request: () => ({ project: Project.fromPartial({ key: 'WEB', name: 'Website' }) }),
    answers: everybody,
  },
  GetProject: { request: oneProject, answers: seenByMembers },
  ListProjects: { request: () => ({}), answers: everybody },
  UpdateProject: {
    request: async (call) => {
      const { projectId: id } = await oneProject(call);
      return UpdateProjectRequest.fromPartial({ project: { id, name: 'Site' }, updateMask: ['name'] });
    },
    answers: managed,
  },
  ArchiveProject: { request: oneProject, answers: managed },
  UnarchiveProject: { request: oneProject, answers: managed },
  DeleteProject: { request: oneProject, answers: managed },
  UndeleteProject: { request: oneProject, answers: managed },
  AddMember: {
    request: async (call) => ({
      ...(await oneProject(call)),
      person: { $case: 'userId', value: await newAccount(call) },
      role: ProjectRole.EDITOR,
    }),
    answers: managed,
  },
  ListMembers: { request: oneProject, answers: seenByMembers },
  SetMemberRole: {
    request: async (call) => ({ ...(await viewerOf(call)), role: ProjectRole.MANAGER }),
    answers: managed,
  },
  RemoveMember: { request: viewerOf, answers: managed },
  StartWatchingProject: {
    request: oneProject,
    answers: { ...seenByMembers, admin: 'NOT_FOUND/MEMBER_NOT_FOUND' },
  },
  StopWatchingProject: { request: oneProject, answers: seenByMembers },
  ListProjectWatchers: { request: oneProject, answers: seenByMembers },
  InviteMember: {
    request: async (call) => ({ ...(await oneProject(call)), email: newEmail(), role: ProjectRole.EDITOR }),
    answers: managed,
  },
  ListProjectInvitations: { request: oneProject, answers: managed },
  CancelProjectInvitation: { request: openInvitation, answers: managed },
  ResendProjectInvitation: { request: openInvitation, answers: managed },
  LeaveProject: {
    request: oneProject,
    answers: {
      owner: 'FAILED_PRECONDITION/LAST_MANAGER',
      assignee: 'OK',
      other: foreignProject,
      admin: 'NOT_FOUND/MEMBER_NOT_FOUND',
    },
  },
};

export const internalProjectRows: Rows<typeof InternalProjectsServiceService> = {
  GetProjectInvitation: {
    request: async (call) => ({ invitationId: (await openInvitation(call)).invitationId }),
  },
  JoinProject: { request: () => ({ invitationId: randomUUID(), userId: randomUUID() }) },
};
