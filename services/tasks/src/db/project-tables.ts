import type { CommonTable } from '#libs/db';
import { ProjectEventType } from '#contract/tasks/v1/projects';
import { memberTable, projectTable } from '../domain/project.columns.ts';
import { departureTable, type Departure } from '../domain/departure.columns.ts';
import type { Member, Project } from '../domain/project.entity.ts';
import type { ProjectWrite } from '../domain/project.events.ts';
import { endedInvitations } from './invitation-store.ts';

/*
 * The parts of the one statement that ends a change of a project. Their names make its name, of which PostgreSQL keeps
 * 63 characters.
 */

const newProjects = (projects: readonly Project[]): CommonTable => ({
  name: 'new_projects',
  text: (add) => `${projectTable.insert(projects, add)} returning 1`,
});

const writtenProjects = (projects: readonly Project[]): CommonTable => ({
  name: 'written_projects',
  text: (add) => `
    update projects set ${projectTable.assignments()} from ${projectTable.records(projects, add)}
    where projects.id = new.id returning 1`,
});

const newMembers = (members: readonly Member[]): CommonTable => ({
  name: 'new_members',
  text: (add) => `${memberTable.insert(members, add)} returning 1`,
});

const isSame = 'project_members.project_id = new.project_id and project_members.user_id = new.user_id';

const writtenMembers = (members: readonly Member[]): CommonTable => ({
  name: 'written_members',
  text: (add) => `
    update project_members set ${memberTable.assignments()} from ${memberTable.records(members, add)}
    where ${isSame} returning 1`,
});

const goneMembers = (members: readonly Member[]): CommonTable => ({
  name: 'gone_members',
  text: (add) => `delete from project_members using ${memberTable.records(members, add)} where ${isSame} returning 1`,
});

const newDepartures = (departures: readonly Departure[]): CommonTable => ({
  name: 'departures',
  text: (add) => `${departureTable.insert(departures, add)} returning 1`,
});

/** Whoever comes back keeps the tasks that have not been handed over. */
const endedDepartures = (members: readonly Member[]): CommonTable => ({
  name: 'returned',
  text: (add) => `
    delete from project_departures gone using ${memberTable.records(members, add)}
    where gone.project_id = new.project_id and gone.user_id = new.user_id returning 1`,
});

const unless = <T>(rows: readonly T[], table: (rows: readonly T[]) => CommonTable): CommonTable[] =>
  rows.length === 0 ? [] : [table(rows)];

const isCreation = ({ type }: ProjectWrite): boolean => type === ProjectEventType.CREATED;
const isRemoval = ({ type }: ProjectWrite): boolean => type === ProjectEventType.MEMBER_REMOVED;

export function projectTables(writes: readonly ProjectWrite[]): CommonTable[] {
  const projectsOf = (some: readonly ProjectWrite[]) => [...new Set(some.map(({ project }) => project))];
  const membersOf = (some: readonly ProjectWrite[]) => some.flatMap(({ member }) => member ?? []);
  const [gone, kept] = [writes.filter(isRemoval), writes.filter((write) => !isRemoval(write))];
  const added = membersOf(kept.filter(({ memberBefore }) => memberBefore === undefined));
  return [
    ...unless(projectsOf(writes.filter(isCreation)), newProjects),
    ...unless(projectsOf(writes.filter((write) => !isCreation(write))), writtenProjects),
    ...unless(added, newMembers),
    ...unless(added, endedDepartures),
    ...unless(membersOf(kept.filter(({ memberBefore }) => memberBefore !== undefined)), writtenMembers),
    ...unless(membersOf(gone), goneMembers),
    ...unless(
      gone.flatMap(({ departure }) => departure ?? []),
      newDepartures,
    ),
    ...endedInvitations(writes),
  ];
}
