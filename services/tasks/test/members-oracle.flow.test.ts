import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { ProjectRole, projectRoleToNumber } from '#contract/tasks/v1/projects';
import { kindAndReason, readPages } from '#dev/testing';
import { usePeople, useTasksCluster, type Person } from './start-cluster.ts';
import { byId, createProject } from './start-projects.ts';

const service = useTasksCluster({ env: { TASKFLOW_RATE_LIMITS: '{"*":"unlimited"}' } });
const people = usePeople(service, 'Ada', 'Bob', 'Eve', 'Joe');

const roles = [ProjectRole.VIEWER, ProjectRole.COMMENTER, ProjectRole.EDITOR, ProjectRole.MANAGER] as const;

/** Indexes of people; the first of them creates the project. */
interface Command {
  kind: 'add' | 'update' | 'remove' | 'leave' | 'look';
  caller: number;
  other: number;
  role: ProjectRole;
}

const anybody = fc.nat(people.length - 1);
const commands: fc.Arbitrary<Command[]> = fc.array(
  fc.record({
    kind: fc.constantFrom('add', 'add', 'update', 'update', 'remove', 'leave', 'look'),
    caller: anybody,
    other: anybody,
    role: fc.constantFrom(...roles, ProjectRole.MANAGER),
  }),
  { minLength: 1, maxLength: 25 },
);

/** The members and their roles, by the indexes of people. */
type Model = Map<number, ProjectRole>;

const noProject = 'not_found/PROJECT_NOT_FOUND';
const isLastManager = (model: Model, person: number): boolean =>
  model.get(person) === ProjectRole.MANAGER &&
  [...model].every(([other, role]) => other === person || role !== ProjectRole.MANAGER);

/** What the call must come to. */
function judge(model: Model, { kind, caller, other, role }: Command): string {
  if (!model.has(caller)) return noProject;
  if (kind === 'look') return 'OK';
  if (kind === 'leave') return judgeLoss(model, caller);
  if (model.get(caller) !== ProjectRole.MANAGER) return 'permission_denied/ROLE_REQUIRED';
  if (kind === 'add') return model.has(other) ? 'already_exists/MEMBER_EXISTS' : 'OK';
  return kind === 'update' && model.get(other) === role ? 'OK' : judgeLoss(model, other);
}

function judgeLoss(model: Model, person: number): string {
  if (!model.has(person)) return 'not_found/MEMBER_NOT_FOUND';
  return isLastManager(model, person) ? 'failed_precondition/LAST_MANAGER' : 'OK';
}

function apply(model: Model, { kind, caller, other, role }: Command): void {
  if (kind === 'add' || kind === 'update') model.set(other, role);
  if (kind === 'remove') model.delete(other);
  if (kind === 'leave') model.delete(caller);
}

function execute(projectId: string, { kind, caller, other, role }: Command): Promise<unknown> {
  const [{ as }, { userId }] = [people[caller], people[other]] as [Person, Person];
  const calls = {
    add: () => service.projects.addMember({ projectId, person: byId(userId), role }, as),
    update: () => service.projects.setMemberRole({ projectId, userId, role }, as),
    remove: () => service.projects.removeMember({ projectId, userId }, as),
    leave: () => service.projects.leaveProject({ projectId }, as),
    look: () => service.projects.getProject({ projectId }, as),
  };
  return calls[kind]();
}

const outcomeOf = (call: Promise<unknown>): Promise<string> =>
  call.then(
    () => 'OK',
    (error: unknown) => kindAndReason(Promise.reject(error)),
  );

describe('B10 random changes of members', () => {
  it('come to what the rules say, and the members and each one’s list are those that follow', async () => {
    await fc.assert(
      fc.asyncProperty(commands, async (all) => {
        const { id: projectId } = await createProject(service.projects, people[0]);
        const model: Model = new Map([[0, ProjectRole.MANAGER]]);
        for (const command of all) {
          const expected = judge(model, command);
          expect([command, await outcomeOf(execute(projectId, command))]).toEqual([command, expected]);
          if (expected === 'OK') apply(model, command);
        }
        const rows = await service.sql<{ user_id: string; role: number }>(
          'select user_id, role from project_members where project_id = $1',
          [projectId],
        );
        const toRow = ([person, role]: [number, ProjectRole]) => [people[person]?.userId, projectRoleToNumber(role)];
        expect(new Map(rows.map(({ user_id, role }) => [user_id, role]))).toEqual(
          new Map([...model].map(toRow) as [string, number][]),
        );
        for (const [index, { as }] of people.entries()) {
          const pages = await readPages((pageToken) => service.projects.listProjects({ pageToken }, as));
          const mine = pages.flatMap(({ projects }) => projects).find(({ id }) => id === projectId);
          expect(mine?.role).toBe(model.get(index));
          if (mine !== undefined) expect(mine.memberCount).toBe(model.size);
        }
        // At most 200 projects a person.
        await service.sql('update projects set delete_time = now() where id = $1', [projectId]);
      }),
      { numRuns: 40 },
    );
  }, 120_000);
});
