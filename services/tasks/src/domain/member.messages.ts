import { NameResolution } from '#contract/tasks/v1/tasks';
import type { ProjectMember } from '#contract/tasks/v1/projects';
import type { Member } from './project.entity.ts';
import { memberSnapshot } from './project.events.ts';
import type { People } from './people.ts';

export function withName(member: ProjectMember, people: People): ProjectMember {
  const { userId } = member;
  return { ...member, userName: people.nameOf(userId), userServiceAccount: people.isServiceAccount(userId) };
}

export const resolutionOf = (members: readonly ProjectMember[], people: People): NameResolution =>
  people.know(members.map(({ userId }) => userId)) ? NameResolution.COMPLETE : NameResolution.UNAVAILABLE;

/** The answer of an RPC for one member, after its change. */
export function toMemberAnswer(
  member: Member,
  people: People,
): { member: ProjectMember; nameResolution: NameResolution } {
  const message = memberSnapshot(member);
  return { member: withName(message, people), nameResolution: resolutionOf([message], people) };
}
