import { randomUUID } from 'node:crypto';
import { Option, type Command } from 'commander';
import { create, itemsOf } from '#client/index';
import {
  AddMemberResponseSchema,
  LeaveProjectResponseSchema,
  ListMembersResponseSchema,
  ProjectRole,
  RemoveMemberResponseSchema,
  SetMemberRoleResponseSchema,
  type ProjectMember,
} from '#client/tasks';
import { act, examples } from '../action.ts';
import { readChoice, wordsOf } from '../input/choices.ts';
import { resolveProject } from '../input/projects.ts';
import { resolveId, shortenAmong } from '../input/short-ids.ts';
import type { Cli } from '../cli.ts';
import { renderTable } from '../output/table.ts';
import { oneLine, toWords } from '../output/text.ts';
import { showTime } from '../output/times.ts';

const roles = wordsOf(ProjectRole);
const readRole = (text: string): ProjectRole => readChoice<ProjectRole>(ProjectRole, roles, text);
const projectArgument = ['<project>', 'its key or id, or the beginning or end of it'] as const;
const memberArgument = ['<member>', 'id of the person, or the beginning or end of it'] as const;

const membersOf = (cli: Cli, projectId: string): AsyncIterable<ProjectMember> =>
  itemsOf(cli.taskflow.projects.listMembers, { projectId, pageSize: 500 });

const resolveMember = (typed: string, cli: Cli, projectId: string): Promise<string> =>
  resolveId(typed, {
    noun: 'member',
    read: async function* () {
      for await (const { userId, userName } of membersOf(cli, projectId)) yield { id: userId, title: userName };
    },
  });

function registerListing(project: Command): void {
  const command = project
    .command('members')
    .summary('list the members of a project')
    .description('Lists who is a member of a project, and with which role.')
    .argument(...projectArgument);
  examples(command, 'taskflow project members ID');
  act(command, async (cli, { args: [typed = ''] }) => {
    const projectId = await resolveProject(typed, cli.taskflow);
    const members = await Array.fromAsync(membersOf(cli, projectId));
    const shorten = shortenAmong(members.map(({ userId }) => userId));
    cli.out.answer(ListMembersResponseSchema, create(ListMembersResponseSchema, { members }), () =>
      renderTable(members, [
        { head: 'ID', cell: ({ userId }) => shorten(userId), style: () => 'dim' },
        { head: 'NAME', cell: ({ userName }) => oneLine(userName), flexible: true },
        { head: 'ROLE', cell: ({ role }) => toWords(ProjectRole[role]) },
        { head: 'SINCE', cell: ({ createTime }) => showTime(createTime, cli.zone) },
      ]),
    );
  });
}

function registerAdding(project: Command): void {
  const command = project
    .command('add')
    .summary('add somebody to a project')
    .description('Adds somebody to a project that you manage.')
    .argument(...projectArgument)
    .argument('<e-mail>', 'of somebody who can be found, or whom you share a task or project with')
    .addOption(new Option('--role <role>', roles.join(', ')).argParser(readRole).default(ProjectRole.EDITOR, 'editor'));
  act<{ role: ProjectRole }>(command, async (cli, { args: [typed = '', email = ''], options: { role } }) => {
    const projectId = await resolveProject(typed, cli.taskflow);
    const person = { case: 'email', value: email } as const;
    const answer = await cli.taskflow.projects.addMember({ projectId, person, role, requestId: randomUUID() });
    cli.out.answer(
      AddMemberResponseSchema,
      answer,
      () => `added ${oneLine(answer.member?.userName ?? '')} as ${toWords(ProjectRole[role])}`,
    );
  });
}

function registerRole(project: Command): void {
  const command = project
    .command('role')
    .summary('change what a member may do')
    .description(`Gives a member another role: ${roles.join(', ')}.`)
    .argument(...projectArgument)
    .argument(...memberArgument)
    .argument('<role>', roles.join(', '), readRole);
  act(command, async (cli, { args }) => {
    const [typed, member, role] = args as [string, string, ProjectRole | string];
    const projectId = await resolveProject(typed, cli.taskflow);
    const userId = await resolveMember(member, cli, projectId);
    const answer = await cli.taskflow.projects.setMemberRole({
      projectId,
      userId,
      role: Number(role),
      requestId: randomUUID(),
    });
    cli.out.answer(SetMemberRoleResponseSchema, answer, () => `is ${toWords(ProjectRole[Number(role)])} now`);
  });
}

function registerRemoving(project: Command): void {
  const command = project
    .command('remove')
    .summary('take somebody out of a project')
    .description('Takes somebody out of a project. The tasks that they own in it pass to you.')
    .argument(...projectArgument)
    .argument(...memberArgument);
  act(command, async (cli, { args: [typed = '', member = ''] }) => {
    const projectId = await resolveProject(typed, cli.taskflow);
    const userId = await resolveMember(member, cli, projectId);
    const answer = await cli.taskflow.projects.removeMember({ projectId, userId, requestId: randomUUID() });
    cli.out.answer(RemoveMemberResponseSchema, answer, () => 'removed');
  });
}

function registerLeaving(project: Command): void {
  const command = project
    .command('leave')
    .summary('leave a project')
    .description('Ends your membership of a project. The tasks that you own in it pass to a manager.')
    .argument(...projectArgument);
  act(command, async (cli, { args: [typed = ''] }) => {
    const projectId = await resolveProject(typed, cli.taskflow);
    const answer = await cli.taskflow.projects.leaveProject({ projectId, requestId: randomUUID() });
    cli.out.answer(LeaveProjectResponseSchema, answer, () => 'left');
  });
}

export function registerMembers(project: Command): void {
  registerListing(project);
  registerAdding(project);
  registerRole(project);
  registerRemoving(project);
  registerLeaving(project);
}
