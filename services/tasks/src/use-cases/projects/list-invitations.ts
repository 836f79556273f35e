import { listPage, type PageInput } from '#libs/db';
import type { UserActor } from '#libs/runtime';
import {
  EmailResolution,
  ProjectRole,
  type ListProjectInvitationsResponse,
  type ProjectInvitation,
} from '#contract/tasks/v1/projects';
import type { Invitee, TasksDeps } from '../../deps.ts';
import { resolutionOf } from '../../domain/comment.messages.ts';
import { toInvitationMessage, type InvitationValues } from '../../domain/invitation.columns.ts';
import type { People } from '../../domain/people.ts';
import { requireInProject } from '../../domain/project-access.ts';
import { findVisible } from './get-project.ts';

export interface ListInvitationsInput extends PageInput {
  projectId: string;
}

type Deps = Pick<TasksDeps, 'projectReader' | 'invitationReader' | 'invitees' | 'people' | 'pageTokens' | 'clock'>;

/** Auth is asked for the e-mails, which managers have typed and nobody else may see. */
export async function listInvitations(
  deps: Deps,
  actor: UserActor,
  { projectId, ...page }: ListInvitationsInput,
): Promise<ListProjectInvitationsResponse> {
  const { rows, nextPageToken } = await listPage(deps.pageTokens, page, {
    scope: { caller: actor.userId, method: 'ListProjectInvitations', filter: { projectId } },
    read: (after, limit) => deps.invitationReader.list(projectId, after, limit),
    timeOf: ({ createTime }) => createTime,
  });
  // Behind the list: whoever may see the invitations now might see them when the list was read.
  const { role } = await findVisible(deps, actor, projectId);
  requireInProject(actor, { projectId, role: role === ProjectRole.UNSPECIFIED ? undefined : role }, 'manage');
  const inviterIds = rows.map(({ inviterId }) => inviterId);
  const [known, invitees] = await Promise.all([
    deps.people.lookUp(inviterIds),
    deps.invitees.find(rows.map(({ id }) => id)),
  ]);
  const now = deps.clock.now();
  return {
    invitations: rows.map((row) => withPeople(row, { now, known, invitee: invitees?.get(row.id) })),
    nextPageToken,
    emailResolution: invitees === undefined ? EmailResolution.UNAVAILABLE : EmailResolution.COMPLETE,
    nameResolution: resolutionOf(inviterIds, known),
  };
}

function withPeople(
  row: InvitationValues,
  { now, known, invitee }: { now: Date; known: People; invitee: Invitee | undefined },
): ProjectInvitation {
  return {
    ...toInvitationMessage(row, { now }),
    email: invitee?.email ?? '',
    mailTime: invitee?.mailTime,
    inviterName: known.nameOf(row.inviterId),
    inviterServiceAccount: known.isServiceAccount(row.inviterId),
  };
}
