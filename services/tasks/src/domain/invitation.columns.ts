import { column, defineColumns, defineMessage, type Stored } from '#libs/db';
import {
  ProjectInvitation as InvitationMessage,
  projectInvitationStateFromJSON,
  ProjectInvitationState,
  projectInvitationStateToNumber,
  projectRoleFromJSON,
  projectRoleToNumber,
} from '#contract/tasks/v1/projects';

/** Who may become a member of a project by a mail. The e-mail is not here: auth keeps it. */
export const invitationTable = defineColumns('project_invitations', {
  id: column.uuid().primary(),
  projectId: column.uuid().fixed(),
  inviterId: column.uuid().fixed(),
  /** An administrator who was no manager made it. No change of members ends it. */
  byAdministrator: column.boolean().fixed().internal(),
  role: column.coded(projectRoleToNumber, projectRoleFromJSON).fixed(),
  /** OPEN also when it has expired. */
  state: column.coded(projectInvitationStateToNumber, projectInvitationStateFromJSON).internal(),
  createTime: column.time().fixed(),
  expireTime: column.time(),
  endTime: column.time().nullable(),
  accepterId: column.uuid().nullable().internal(),
});

export type InvitationValues = Stored<typeof invitationTable.columns>;

/** The invitation as clients see it now, without the e-mail and the name of the inviter. */
export const toInvitationMessage = defineMessage<InvitationMessage, { now: Date }>(InvitationMessage.fromPartial({}))(
  invitationTable,
  {
    state: ({ state, expireTime }, { now }) =>
      state === ProjectInvitationState.OPEN && expireTime <= now ? ProjectInvitationState.EXPIRED : state,
    accepterId: ({ accepterId }) => accepterId ?? '',
    email: () => '',
    mailTime: () => undefined,
    inviterName: () => '',
    inviterServiceAccount: () => false,
  },
);
