import type { NewEvent, StoredEvent } from '#libs/events';
import {
  ProjectChange,
  ProjectEventType,
  projectEventTypeFromJSON,
  ProjectRole,
  type Project as ProjectMessage,
  type ProjectEvent,
  type ProjectMember as MemberMessage,
} from '#contract/tasks/v1/projects';
import type { Departure } from './departure.columns.ts';
import { toMemberMessage, toProjectMessage } from './project.columns.ts';
import type { Member, Project } from './project.entity.ts';
import { audienceOfProject } from './task-audience.ts';

/** A change of a project or of one of its members. Rows and the one event derive from this. */
export interface ProjectWrite {
  type: ProjectEventType;
  project: Project;
  /** The project before, when it is the project that changes and it was there. */
  before?: ProjectMessage;
  /** The member before and after, when it is a member who changes. */
  memberBefore?: MemberMessage;
  member?: Member;
  /** When a member goes whose tasks are still to be handed over. */
  departure?: Departure;
  actorId: string;
}

/** As an event holds it: without a reader there is no role. */
export const projectSnapshot = (project: Project): ProjectMessage =>
  toProjectMessage(project, { role: ProjectRole.UNSPECIFIED });

export const memberSnapshot = (member: Member): MemberMessage => toMemberMessage(member, {});

const aboutMembers: readonly ProjectEventType[] = [
  ProjectEventType.MEMBER_ADDED,
  ProjectEventType.MEMBER_UPDATED,
  ProjectEventType.MEMBER_REMOVED,
];

/** Whether the row of the project is another one than before, beside its number of members. */
export const isAboutMember = ({ type }: ProjectWrite): boolean => aboutMembers.includes(type);

/**
 * The one event of the change, in the project's stream. What happens to a member is about the person and tells nothing
 * of the project but its id, so it stays when the project is removed and its events are erased.
 */
export function toProjectEvent(write: ProjectWrite): NewEvent {
  const { type, project, before, memberBefore, member, actorId } = write;
  const isGone = type === ProjectEventType.DELETED;
  const isMemberGone = type === ProjectEventType.MEMBER_REMOVED;
  const change: ProjectChange = {
    projectId: project.id,
    before,
    after: isAboutMember(write) || isGone ? undefined : projectSnapshot(project),
    memberBefore,
    memberAfter: member === undefined || isMemberGone ? undefined : memberSnapshot(member),
  };
  return {
    streamId: project.id,
    type,
    ...subjectOf(write),
    actor: actorId,
    audience: audienceOfProject(change),
    payload: ProjectChange.encode(change).finish(),
  };
}

function subjectOf(write: ProjectWrite): Pick<NewEvent, 'subjectId' | 'subjectVersion'> {
  const { project, member, type } = write;
  if (!isAboutMember(write) || member === undefined) return { subjectId: project.id, subjectVersion: project.version };
  const isMemberGone = type === ProjectEventType.MEMBER_REMOVED;
  return { subjectId: member.userId, subjectVersion: member.version + (isMemberGone ? 1n : 0n) };
}

/** What an event of a project means for somebody who follows all that they may see. */
export function visibilityOf(
  { type, subjectId, streamId }: StoredEvent,
  userId: string,
): { joined?: string; removed?: string } {
  const isOwn = subjectId === userId;
  if (type === ProjectEventType.DELETED || (type === ProjectEventType.MEMBER_REMOVED && isOwn))
    return { removed: streamId };
  if (type === ProjectEventType.UNDELETED || (type === ProjectEventType.MEMBER_ADDED && isOwn))
    return { joined: streamId };
  return {};
}

export const isProjectEvent = ({ type }: StoredEvent): boolean => type.startsWith('PROJECT_EVENT_TYPE_');

export function toProjectEventMessage(stored: StoredEvent): ProjectEvent {
  const { position, streamId: projectId, sequence, type, subjectId, subjectVersion, actor, createTime } = stored;
  const change = ProjectChange.decode(stored.payload);
  return {
    position,
    projectId,
    sequence,
    type: projectEventTypeFromJSON(type),
    subjectId,
    subjectVersion,
    actor,
    createTime,
    change,
  };
}
