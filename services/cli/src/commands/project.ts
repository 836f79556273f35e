import { randomUUID } from 'node:crypto';
import type { Command } from 'commander';
import { create } from '#client/index';
import {
  CreateProjectResponseSchema,
  ListProjectsResponseSchema,
  ProjectRole,
  ProjectSchema,
  type Project,
} from '#client/tasks';
import { act, examples } from '../action.ts';
import type { Cli } from '../cli.ts';
import { allProjects, resolveProject, type WhichProjects } from '../input/projects.ts';
import { shortenAmong } from '../input/short-ids.ts';
import { renderTable } from '../output/table.ts';
import { oneLine, toWords } from '../output/text.ts';
import { registerMembers } from './project-members.ts';

const describe = (project: Project | undefined): string =>
  project === undefined ? '' : `${project.key} ${oneLine(project.name)} (${project.id})`;

function stateOf({ deleteTime, archiveTime }: Project): string {
  if (deleteTime !== undefined) return 'deleted';
  return archiveTime === undefined ? 'open' : 'archived';
}

function registerListing(project: Command): void {
  const command = project
    .command('ls', { isDefault: true })
    .summary('list projects')
    .description('Lists the projects that you are a member of.')
    .option('--archived', 'archived ones too')
    .option('--deleted', 'deleted ones too that you can bring back');
  examples(command, 'taskflow project ls');
  act<{ archived?: boolean; deleted?: boolean }>(command, async (cli, { options }) => {
    const which = { showArchived: options.archived === true, showDeleted: options.deleted === true };
    const projects = await Array.fromAsync(allProjects(cli.taskflow, which));
    const shorten = shortenAmong(projects.map(({ id }) => id));
    cli.out.answer(ListProjectsResponseSchema, create(ListProjectsResponseSchema, { projects }), () =>
      projects.length === 0
        ? 'no projects'
        : renderTable(projects, [
            { head: 'ID', cell: ({ id }) => shorten(id), style: () => 'dim' },
            { head: 'KEY', cell: ({ key }) => key },
            { head: 'NAME', cell: ({ name }) => oneLine(name), flexible: true },
            { head: 'ROLE', cell: ({ role }) => toWords(ProjectRole[role]) },
            { head: 'MEMBERS', cell: ({ memberCount }) => String(memberCount) },
            { head: 'STATE', cell: stateOf },
          ]),
    );
  });
}

function registerCreation(project: Command): void {
  const command = project
    .command('create')
    .summary('make a project')
    .description('Makes a project, which you manage. Its key stands in front of the numbers of its tasks, for good.')
    .argument('<key>', 'such as WEB')
    .argument('<name>', 'what it is called')
    .option('--description <text>', 'what else there is to say');
  examples(command, 'taskflow project create WEB "Our website"');
  act<{ description?: string }>(command, async (cli, { args: [key = '', name = ''], options }) => {
    const request = { project: { key, name, description: options.description ?? '' }, requestId: randomUUID() };
    const answer = await cli.taskflow.projects.createProject(request);
    cli.out.answer(CreateProjectResponseSchema, answer, () => `made ${describe(answer.project)}`);
  });
}

interface Change extends WhichProjects {
  name: string;
  summary: string;
  description: string;
  /** Undefined: the project is gone. */
  change(cli: Cli, projectId: string): Promise<Project | undefined>;
  done: string;
}

const changes: readonly Change[] = [
  {
    name: 'archive',
    summary: 'end the work on a project',
    description:
      'Archives a project: its tasks stay and cannot be changed. "taskflow project unarchive" opens it again.',
    change: async ({ taskflow: { projects } }, projectId) =>
      (await projects.archiveProject({ projectId, requestId: randomUUID() })).project,
    done: 'archived',
  },
  {
    name: 'unarchive',
    summary: 'go on with a project',
    description: 'Opens an archived project again.',
    change: async ({ taskflow: { projects } }, projectId) =>
      (await projects.unarchiveProject({ projectId, requestId: randomUUID() })).project,
    done: 'opened',
  },
  {
    name: 'rm',
    summary: 'delete a project with its tasks',
    description:
      'Deletes a project with its tasks, for everybody. "taskflow project restore" brings it back for a while.',
    change: async ({ taskflow: { projects } }, projectId) => {
      await projects.deleteProject({ projectId, requestId: randomUUID() });
      return undefined;
    },
    done: 'deleted',
  },
  {
    name: 'restore',
    summary: 'bring a deleted project back',
    description: 'Brings a deleted project back with its tasks. "taskflow project ls --deleted" shows them.',
    showDeleted: true,
    change: async ({ taskflow: { projects } }, projectId) =>
      (await projects.undeleteProject({ projectId, requestId: randomUUID() })).project,
    done: 'restored',
  },
];

function registerChange(project: Command, { name, summary, description, change, done, ...which }: Change): void {
  const command = project
    .command(name)
    .summary(summary)
    .description(description)
    .argument('<project>', 'its key or id, or the beginning or end of it');
  examples(command, `taskflow project ${name} ID`);
  act(command, async (cli, { args: [typed = ''] }) => {
    const projectId = await resolveProject(typed, cli.taskflow, which);
    const changed = (await change(cli, projectId)) ?? create(ProjectSchema, { id: projectId });
    cli.out.answer(ProjectSchema, changed, () => `${done} ${changed.key === '' ? projectId : describe(changed)}`);
  });
}

export function registerProject(program: Command): void {
  const project = program
    .command('project')
    .summary('projects and their members')
    .description('Projects: tasks that their members see and change together.');
  registerListing(project);
  registerCreation(project);
  for (const change of changes) registerChange(project, change);
  registerMembers(project);
}
