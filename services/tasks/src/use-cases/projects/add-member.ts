import type { UserActor } from '#libs/runtime';
import { AddMemberRequest, AddMemberResponse, ProjectEventType, type ProjectRole } from '#contract/tasks/v1/projects';
import type { Repositories, TasksDeps } from '../../deps.ts';
import { toMemberAnswer } from '../../domain/member.messages.ts';
import type { People } from '../../domain/people.ts';
import { Member, type Project } from '../../domain/project.entity.ts';
import { memberErrors, memberExists, tooManyMembers, tooManyProjects } from '../../domain/project.errors.ts';
import { lookUpPeople, type LookUpNeeds } from '../look-up-people.ts';
import { changeBy, lockProject } from './change.ts';
import { findObstacle } from './find-obstacle.ts';

const change = changeBy('AddMember', AddMemberRequest, AddMemberResponse);

export interface AddMemberInput {
  projectId: string;
  /** One of both is ''. */
  userId: string;
  email: string;
  role: ProjectRole;
  request: AddMemberRequest;
}

type Deps = LookUpNeeds & Pick<TasksDeps, 'uow' | 'clock'>;

export async function addMember(deps: Deps, actor: UserActor, input: AddMemberInput): Promise<AddMemberResponse> {
  const { projectId, role, request } = input;
  const known = await lookUpMember(deps, actor, input);
  const now = deps.clock.now();
  return change(deps, actor, request, async ({ projects }) => {
    const { project } = await lockProject(projects, actor, projectId, 'manage');
    project.requireOpen();
    const userId = idOf(input, actor, known);
    await requireRoom(projects, project, userId);
    const member = Member.create({ projectId, userId, role }, now);
    project.memberCount += 1;
    const answer = toMemberAnswer(member, known);
    return projects.write([{ type: ProjectEventType.MEMBER_ADDED, project, member, actorId: actor.userId }], answer);
  });
}

/** Before the transaction; what is wrong with the person is said inside, behind what is wrong with the project. */
function lookUpMember(deps: Deps, actor: UserActor, { userId, email }: AddMemberInput): Promise<People> {
  const fields = userId === '' ? {} : { assigneeId: userId };
  return lookUpPeople(deps, actor, { present: [], assignments: [{ fields, assigneeEmail: email }] });
}

/** Anybody but the caller must exist and be enabled. */
function idOf({ userId, email }: AddMemberInput, actor: UserActor, known: People): string {
  if (email !== '') return known.idByEmail(email, memberErrors);
  if (userId !== actor.userId) known.requireEnabled(userId, memberErrors);
  return userId;
}

async function requireRoom(projects: Repositories['projects'], project: Project, userId: string): Promise<void> {
  const obstacle = await findObstacle(projects, project, userId);
  if (obstacle === 'member') throw memberExists(project.id, userId);
  if (obstacle === 'full') throw tooManyMembers(project.id);
  if (obstacle === 'tooManyProjects') throw tooManyProjects(`users/${userId}`);
}
