import { listPage, type PageInput } from '#libs/db';
import type { UserActor } from '#libs/runtime';
import type { ListMembersResponse } from '#contract/tasks/v1/projects';
import type { TasksDeps } from '../../deps.ts';
import { resolutionOf, withName } from '../../domain/member.messages.ts';
import { findVisible } from './get-project.ts';

export interface ListMembersInput extends PageInput {
  projectId: string;
}

type Deps = Pick<TasksDeps, 'projectReader' | 'people' | 'pageTokens'>;

export async function listMembers(
  deps: Deps,
  actor: UserActor,
  { projectId, ...page }: ListMembersInput,
): Promise<ListMembersResponse> {
  const { rows, nextPageToken } = await listPage(deps.pageTokens, page, {
    scope: { caller: actor.userId, method: 'ListMembers', filter: { projectId } },
    read: async (after, limit) =>
      (await deps.projectReader.listMembers(projectId, after, limit)).map((member) => ({ id: member.userId, member })),
    timeOf: ({ member }) => member.createTime ?? new Date(0),
  });
  // Behind the list: whoever may see the project now might see it when the list was read.
  await findVisible(deps, actor, projectId);
  const members = rows.map(({ member }) => member);
  const known = await deps.people.lookUp(members.map(({ userId }) => userId));
  return {
    members: members.map((member) => withName(member, known)),
    nextPageToken,
    nameResolution: resolutionOf(members, known),
  };
}
