import { create } from '@bufbuild/protobuf';
import { timestampNow } from '@bufbuild/protobuf/wkt';
import { describe, expect, it } from '@jest/globals';
import { ProjectRole, ProjectSchema } from '#client/tasks';
import { rightsOn, type TaskRights } from './task-rights.ts';

const me = { id: 'me', isAdmin: false };
const { VIEWER, COMMENTER, EDITOR, MANAGER } = ProjectRole;
const project = (role: ProjectRole) => create(ProjectSchema, { role });
const archived = (role: ProjectRole) => create(ProjectSchema, { role, archiveTime: timestampNow() });
const named = ({ write, status, comment, moderate }: TaskRights) =>
  Object.entries({ write, status, comment, moderate }).flatMap(([name, holds]) => (holds ? [name] : []));
const everything = ['write', 'status', 'comment', 'moderate'];
const mine = { ownerId: 'me', assigneeId: '', projectId: '' };
const given = { ownerId: 'other', assigneeId: 'me', projectId: '' };

describe('rights on a task', () => {
  it('are the owner’s in no project, and the assignee has the status and comments', () => {
    expect(named(rightsOn(mine, me, undefined))).toEqual(everything);
    expect(named(rightsOn(given, me, undefined))).toEqual(['status', 'comment']);
    expect(named(rightsOn({ ...given, assigneeId: '' }, { id: 'root', isAdmin: true }, undefined))).toEqual(everything);
  });

  it.each([
    [VIEWER, []],
    [COMMENTER, ['comment']],
    [EDITOR, ['write', 'status', 'comment']],
    [MANAGER, everything],
  ])('follow the role %s in a project, also for the owner', (role, wanted) => {
    const task = { ...mine, projectId: 'p' };
    expect(named(rightsOn(task, me, project(role)))).toEqual(wanted);
    expect(named(rightsOn(task, me, archived(role)))).toEqual([]);
  });

  it('let an assignee of any role set the status, and wait for the project', () => {
    const task = { ...given, projectId: 'p' };
    expect(named(rightsOn(task, me, project(VIEWER)))).toEqual(['status']);
    expect(named(rightsOn(task, me, undefined))).toEqual([]);
  });
});
