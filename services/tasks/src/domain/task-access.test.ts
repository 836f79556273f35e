import { describe, expect, it } from '@jest/globals';
import { ProjectRole } from '#contract/tasks/v1/projects';
import { mayOnTask, type Person, type TaskAction } from './task-access.ts';

const { VIEWER, COMMENTER, EDITOR, MANAGER } = ProjectRole;
const [ownerId, assigneeId, otherId] = ['owner', 'assignee', 'other'];
const actions: TaskAction[] = ['see', 'comment', 'status', 'write', 'moderate'];

const user = (userId: string): Person => ({ userId, role: 'user' });
const allowed = (person: Person, projectId: string | null, role: ProjectRole | undefined): string =>
  actions
    .filter((action) => mayOnTask(person, { task: { id: 'task', ownerId, assigneeId, projectId }, role }, action))
    .join(' ');

describe('a task in no project', () => {
  it.each([
    ['the owner', user(ownerId), 'see comment status write moderate'],
    ['the assignee', user(assigneeId), 'see comment status'],
    ['anybody else', user(otherId), ''],
    ['an administrator', { userId: otherId, role: 'admin' as const }, 'see comment status write moderate'],
  ])('lets %s do what it did before there were projects', (_, person, expected) => {
    expect(allowed(person, null, undefined)).toBe(expected);
    expect(allowed(person, '', undefined)).toBe(expected);
  });
});

describe('a task in a project', () => {
  it.each([
    [undefined, '', ''],
    [VIEWER, 'see', 'see status'],
    [COMMENTER, 'see comment', 'see comment status'],
    [EDITOR, 'see comment status write', 'see comment status write'],
    [MANAGER, 'see comment status write moderate', 'see comment status write moderate'],
  ])('goes by the role %s alone, but for the status', (role, ofMember, ofAssignee) => {
    expect(allowed(user(otherId), 'project', role)).toBe(ofMember);
    expect(allowed(user(ownerId), 'project', role)).toBe(ofMember);
    expect(allowed(user(assigneeId), 'project', role)).toBe(ofAssignee);
  });

  it('is an administrator’s as a manager’s, member or not', () => {
    const everything = 'see comment status write moderate';
    expect(allowed({ userId: otherId, role: 'admin' }, 'project', undefined)).toBe(everything);
  });
});
