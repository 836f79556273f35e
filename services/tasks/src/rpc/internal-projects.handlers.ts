import { z } from 'zod';
import type { InternalProjectsServiceService } from '#contract/tasks/v1/projects';
import { fieldTypes, parseRequest } from '#libs/errors';
import type { Handlers } from '#libs/grpc';
import type { TasksDeps } from '../deps.ts';
import { getInvitation, joinProject } from '../use-cases/projects/join-project.ts';

export function internalProjectsHandlers(deps: TasksDeps): Handlers<typeof InternalProjectsServiceService> {
  return {
    getProjectInvitation: async (request) => getInvitation(deps, parseRequest(invitationSchema, request).invitationId),
    joinProject: async (request) => joinProject(deps, parseRequest(joinSchema, request)),
  };
}

const invitationSchema = z.object({ invitationId: fieldTypes.uuid() });
const joinSchema = z.object({ invitationId: fieldTypes.uuid(), userId: fieldTypes.uuid() });
