import type { UserActor } from '#libs/runtime';
import { ProjectRole, type Project as ProjectMessage, type ProjectEventType } from '#contract/tasks/v1/projects';
import type { Repositories } from '../../deps.ts';
import { toProjectMessage } from '../../domain/project.columns.ts';
import type { Project } from '../../domain/project.entity.ts';
import { projectSnapshot } from '../../domain/project.events.ts';
import { lockProject, requireProjectEtag, type Locked } from './change.ts';

export interface Which {
  projectId: string;
  /** '' = any version. */
  etag: string;
}

/** Changes a project that the caller manages. `edit` says what happened, or undefined when nothing had to. */
export async function writeProject(
  projects: Repositories['projects'],
  actor: UserActor,
  { projectId, etag }: Which,
  edit: (project: Project) => ProjectEventType | undefined,
): Promise<{ project: ProjectMessage }> {
  const locked = await lockProject(projects, actor, projectId, 'manage');
  const { project } = locked;
  requireProjectEtag(project, etag);
  const before = projectSnapshot(project);
  const type = edit(project);
  const answer = answerOf(locked);
  if (type === undefined) return answer;
  return projects.write([{ type, project, before, actorId: actor.userId }], answer);
}

/** The project as the caller sees it. */
export function answerOf({ project, self }: Locked): { project: ProjectMessage } {
  return { project: toProjectMessage(project, { role: self?.role ?? ProjectRole.UNSPECIFIED }) };
}
