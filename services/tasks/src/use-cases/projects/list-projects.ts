import { listPage, type PageInput } from '#libs/db';
import type { UserActor } from '#libs/runtime';
import type { ListProjectsResponse, Project } from '#contract/tasks/v1/projects';
import type { TasksDeps } from '../../deps.ts';
import { listOfAllRefused } from '../../domain/project.errors.ts';

export interface ListProjectsInput extends PageInput {
  showArchived: boolean;
  showDeleted: boolean;
  /** Of everybody. */
  all: boolean;
}

/** The caller's role is read with each page, so a page token gives no access. */
export async function listProjects(
  { projectReader, pageTokens }: Pick<TasksDeps, 'projectReader' | 'pageTokens'>,
  { userId, role }: UserActor,
  { showArchived, showDeleted, all, ...page }: ListProjectsInput,
): Promise<ListProjectsResponse> {
  if (all && role !== 'admin') throw listOfAllRefused();
  const { rows, nextPageToken } = await listPage<Project>(pageTokens, page, {
    scope: { caller: userId, method: 'ListProjects', filter: { showArchived, showDeleted, all } },
    read: (after, limit) => projectReader.list({ userId, ofEverybody: all, showArchived, showDeleted }, after, limit),
    timeOf: ({ createTime }) => createTime ?? new Date(0),
  });
  return { projects: rows, nextPageToken };
}
