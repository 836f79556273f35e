import type { Repositories } from '../../deps.ts';
import type { Project } from '../../domain/project.entity.ts';
import { maxMembers, maxProjects } from '../../domain/project.errors.ts';

/** Why somebody cannot become a member. */
export type Obstacle = 'member' | 'full' | 'tooManyProjects';

/** To be asked behind the lock on the project. */
export async function findObstacle(
  projects: Repositories['projects'],
  { id, memberCount }: Project,
  userId: string,
): Promise<Obstacle | undefined> {
  if ((await projects.findMember(id, userId)) !== undefined) return 'member';
  if (memberCount >= maxMembers) return 'full';
  return (await projects.countProjects(userId)) >= maxProjects ? 'tooManyProjects' : undefined;
}
