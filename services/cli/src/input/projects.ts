import { itemsOf } from '#client/index';
import type { TaskFlow } from '#client/taskflow';
import type { Project } from '#client/tasks';
import { exitCodes } from '../exit-codes.ts';
import { Failure } from '../faults.ts';
import { oneLine } from '../output/text.ts';
import { resolveId } from './short-ids.ts';

export interface WhichProjects {
  showArchived?: boolean;
  showDeleted?: boolean;
}

export const allProjects = ({ projects }: TaskFlow, which: WhichProjects = {}): AsyncIterable<Project> =>
  itemsOf(projects.listProjects, { pageSize: 500, showArchived: true, ...which });

const key = /^[a-z][a-z0-9]*$/i;

/** The id of a project that the user names by its key, its id, or the beginning or end of that. */
export async function resolveProject(typed: string, taskflow: TaskFlow, which: WhichProjects = {}): Promise<string> {
  if (key.test(typed)) {
    const named: Project[] = [];
    for await (const project of allProjects(taskflow, which))
      if (project.key.toLowerCase() === typed.toLowerCase()) named.push(project);
    const [only, ...others] = named;
    if (others.length > 0) throw ambiguous(typed, named);
    if (only !== undefined) return only.id;
  }
  return resolveId(typed, {
    noun: 'project',
    read: async function* () {
      for await (const { id, name } of allProjects(taskflow, which)) yield { id, title: name };
    },
  });
}

function ambiguous(typed: string, named: readonly Project[]): Failure {
  const listed = named.slice(0, 10).map(({ id, name }) => `  ${id}  ${oneLine(name)}`);
  return new Failure([`"${typed}" is the key of ${named.length} projects:`, ...listed].join('\n'), exitCodes.usage);
}
