import { z } from 'zod';
import type { ProjectsServiceService } from '#contract/tasks/v1/projects';
import { fieldTypes, parseRequest } from '#libs/errors';
import { fieldsOf } from '#libs/fields';
import { requireUser, type Handlers } from '#libs/grpc';
import { looksLikeEmail, normaliseEmail } from '#libs/text';
import type { TasksDeps } from '../deps.ts';
import { role } from '../domain/project.inputs.ts';
import { addMember } from '../use-cases/projects/add-member.ts';
import { archiveProject, unarchiveProject } from '../use-cases/projects/archive-project.ts';
import { cancelInvitation } from '../use-cases/projects/cancel-invitation.ts';
import { createProject } from '../use-cases/projects/create-project.ts';
import { deleteProject } from '../use-cases/projects/delete-project.ts';
import { getProject } from '../use-cases/projects/get-project.ts';
import { inviteMember, resendInvitation } from '../use-cases/projects/invite-member.ts';
import { listInvitations } from '../use-cases/projects/list-invitations.ts';
import { listMembers } from '../use-cases/projects/list-members.ts';
import { listProjects } from '../use-cases/projects/list-projects.ts';
import { leaveProject, removeMember } from '../use-cases/projects/remove-member.ts';
import { undeleteProject } from '../use-cases/projects/undelete-project.ts';
import { setMemberRole } from '../use-cases/projects/set-member-role.ts';
import { listProjectWatchers } from '../use-cases/projects/list-project-watchers.ts';
import { updateProject } from '../use-cases/projects/update-project.ts';
import { startWatchingProject, stopWatchingProject } from '../use-cases/projects/watch-project.ts';
import { mutation, readAddMember, readCreateProject, readUpdateProject } from './projects.requests.ts';
import { etag } from './task.schemas.ts';

export function projectsHandlers(deps: TasksDeps): Handlers<typeof ProjectsServiceService> {
  return {
    createProject: async (request, call) => createProject(deps, requireUser(call), readCreateProject(request)),
    getProject: async (request, call) =>
      getProject(deps, requireUser(call), parseRequest(projectSchema, request).projectId),
    listProjects: async (request, call) => listProjects(deps, requireUser(call), parseRequest(listSchema, request)),
    updateProject: async (request, call) => updateProject(deps, requireUser(call), readUpdateProject(request)),
    archiveProject: async (request, call) =>
      archiveProject(deps, requireUser(call), parseRequest(wholeSchema, request)),
    unarchiveProject: async (request, call) =>
      unarchiveProject(deps, requireUser(call), parseRequest(wholeSchema, request)),
    deleteProject: async (request, call) => deleteProject(deps, requireUser(call), parseRequest(wholeSchema, request)),
    undeleteProject: async (request, call) =>
      undeleteProject(deps, requireUser(call), parseRequest(wholeSchema, request)),
    addMember: async (request, call) => addMember(deps, requireUser(call), readAddMember(request)),
    listMembers: async (request, call) => listMembers(deps, requireUser(call), parseRequest(membersSchema, request)),
    setMemberRole: async (request, call) => setMemberRole(deps, requireUser(call), parseRequest(roleSchema, request)),
    removeMember: async (request, call) => removeMember(deps, requireUser(call), parseRequest(memberSchema, request)),
    leaveProject: async (request, call) => leaveProject(deps, requireUser(call), parseRequest(ownSchema, request)),
    startWatchingProject: async (request, call) =>
      startWatchingProject(deps, requireUser(call), parseRequest(ownSchema, request)),
    stopWatchingProject: async (request, call) =>
      stopWatchingProject(deps, requireUser(call), parseRequest(ownSchema, request)),
    listProjectWatchers: async (request, call) =>
      listProjectWatchers(deps, requireUser(call), parseRequest(watchersSchema, request)),
    inviteMember: async (request, call) => inviteMember(deps, requireUser(call), parseRequest(inviteSchema, request)),
    listProjectInvitations: async (request, call) =>
      listInvitations(deps, requireUser(call), parseRequest(invitationsSchema, request)),
    cancelProjectInvitation: async (request, call) =>
      cancelInvitation(deps, requireUser(call), parseRequest(invitationSchema, request)),
    resendProjectInvitation: async (request, call) =>
      resendInvitation(deps, requireUser(call), parseRequest(invitationSchema, request)),
  };
}

const projectId = fieldTypes.uuid();
function pageOf(request: string) {
  const fields = fieldsOf(`taskflow.tasks.v1.${request}`);
  return { pageSize: fields.pageSize(), pageToken: fields.pageToken() };
}

const projectSchema = z.object({ projectId });
const listSchema = z.object({
  ...pageOf('ListProjectsRequest'),
  showArchived: z.boolean(),
  showDeleted: z.boolean(),
  all: z.boolean(),
});
const wholeSchema = z.object({ projectId, etag, ...mutation });
const membersSchema = z.object({ projectId, ...pageOf('ListMembersRequest') });
const memberSchema = z.object({ projectId, userId: fieldTypes.uuid(), etag, ...mutation });
const roleSchema = memberSchema.extend({ role });
/** Of what a member does alone. */
const ownSchema = z.object({ projectId, ...mutation });
const email = fieldsOf('taskflow.tasks.v1.InviteMemberRequest')
  .text('email')
  .transform(normaliseEmail)
  .refine(looksLikeEmail, 'must be an e-mail address of at most 254 characters');
const inviteSchema = z.object({ projectId, email, role, ...mutation });
const invitationsSchema = z.object({ projectId, ...pageOf('ListProjectInvitationsRequest') });
const invitationSchema = z.object({ projectId, invitationId: fieldTypes.uuid(), ...mutation });
const watchersSchema = z.object({ projectId, ...pageOf('ListProjectWatchersRequest') });
