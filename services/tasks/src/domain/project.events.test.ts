import { describe, expect, it } from '@jest/globals';
import { ProjectChange, ProjectEventType, ProjectRole } from '#contract/tasks/v1/projects';
import { Task, TaskChange } from '#contract/tasks/v1/tasks';
import { Member, Project } from './project.entity.ts';
import { memberSnapshot, projectSnapshot, toProjectEvent } from './project.events.ts';
import { audienceOfPayload } from './task-audience.ts';

const now = new Date('2026-03-01T12:00:00Z');
const [projectId, ada, bob] = ['p', 'a', 'b'] as const;
const project = Project.create({ key: 'WEB', name: 'Website', description: '', color: '' }, { id: projectId, now });
const member = Member.create({ projectId, userId: bob, role: ProjectRole.VIEWER }, now);

describe('an event of a project', () => {
  it('is an empty message to whoever takes its payload for that of a task, and the other way round', () => {
    const before = projectSnapshot(project);
    const write = { type: ProjectEventType.UPDATED, project, before, memberBefore: memberSnapshot(member), member };
    const { payload } = toProjectEvent({ ...write, actorId: ada });
    expect(TaskChange.decode(payload)).toEqual(TaskChange.fromPartial({}));
    const task = Task.fromPartial({ id: 't', ownerId: ada, assigneeId: bob });
    const change = TaskChange.encode({ before: task, after: task, dueVersion: 7n }).finish();
    expect(ProjectChange.decode(change)).toEqual(ProjectChange.fromPartial({}));
  });

  it('concerns the same people by its payload as when it was appended', () => {
    const writes = [
      { type: ProjectEventType.CREATED, project, member },
      { type: ProjectEventType.DELETED, project, before: projectSnapshot(project) },
      { type: ProjectEventType.MEMBER_ADDED, project, member },
      { type: ProjectEventType.MEMBER_REMOVED, project, memberBefore: memberSnapshot(member), member },
    ];
    const events = writes.map((write) => toProjectEvent({ ...write, actorId: ada }));
    expect(events.map(({ audience }) => audience)).toEqual([
      [projectId, bob],
      [projectId],
      [projectId, bob],
      [projectId, bob],
    ]);
    expect(events.map(({ payload }) => audienceOfPayload(payload))).toEqual(events.map(({ audience }) => audience));
  });

  it('tells nothing of the project when it is about a member', () => {
    const write = { type: ProjectEventType.MEMBER_REMOVED, project, memberBefore: memberSnapshot(member), member };
    const { payload, subjectId, subjectVersion } = toProjectEvent({ ...write, actorId: ada });
    expect({ subjectId, subjectVersion }).toEqual({ subjectId: bob, subjectVersion: 2n });
    expect(ProjectChange.decode(payload)).toEqual(
      ProjectChange.fromPartial({ projectId, memberBefore: memberSnapshot(member) }),
    );
  });
});
