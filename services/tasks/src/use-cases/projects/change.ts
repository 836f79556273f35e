import { once } from '#libs/db';
import type { UserActor } from '#libs/runtime';
import type { Repositories, TasksDeps } from '../../deps.ts';
import { requireInProject, type ProjectAction } from '../../domain/project-access.ts';
import type { Member, Project } from '../../domain/project.entity.ts';
import { memberNotFound, projectEtagMismatch, projectNotFound } from '../../domain/project.errors.ts';

/** The fields of every request that changes something. */
interface ChangeRequest {
  /** '' = none. */
  requestId: string;
  validateOnly: boolean;
}

interface Codec<T> {
  encode(message: T): { finish(): Uint8Array };
  decode(bytes: Uint8Array): T;
}

type Execute<Req, Res> = (
  deps: Pick<TasksDeps, 'uow'>,
  actor: UserActor,
  request: Req,
  work: (repositories: Repositories) => Promise<Res>,
) => Promise<Res>;

/**
 * Executes a method in one transaction, once for each idempotency key. `request` is without the fields that do not
 * count. With `validateOnly` answer and errors are the same and nothing is written.
 */
export const changeBy =
  <Req extends ChangeRequest, Res>(
    method: string,
    requestCodec: Pick<Codec<Req>, 'encode'>,
    responseCodec: Codec<Res>,
  ): Execute<Req, Res> =>
  async ({ uow }, { userId }, request, work) => {
    const { requestId: idempotencyKey, validateOnly } = request;
    const execute = validateOnly ? uow.dryRun : uow.run;
    const body = { ...request, requestId: '' };
    return execute(work, once({ userId, method, idempotencyKey }, body, requestCodec, responseCodec));
  };

type Projects = Repositories['projects'];

/** The project, locked, and the caller's membership of it; undefined for an administrator who is no member. */
export interface Locked {
  project: Project;
  self: Member | undefined;
}

/** The role is read behind the lock, so that nobody goes on with one that they have lost. */
export async function lockProject(
  projects: Projects,
  actor: UserActor,
  projectId: string,
  action: ProjectAction,
): Promise<Locked> {
  const project = await projects.lock(projectId);
  if (project === undefined || project.deleteTime !== null) throw projectNotFound(projectId);
  const self = await projects.findMember(projectId, actor.userId);
  requireInProject(actor, { projectId, role: self?.role }, action);
  return { project, self };
}

/** '' = any version. */
export function requireProjectEtag(project: Project, etag: string): void {
  if (etag !== '' && !project.hasEtag(etag)) throw projectEtagMismatch(project.id);
}

/** A member whose etag is current. */
export async function requireMember(
  projects: Projects,
  { projectId, userId, etag }: { projectId: string; userId: string; etag: string },
): Promise<Member> {
  const member = await projects.findMember(projectId, userId);
  if (member === undefined) throw memberNotFound(projectId, userId);
  if (etag !== '' && !member.hasEtag(etag)) throw projectEtagMismatch(projectId, userId);
  return member;
}
