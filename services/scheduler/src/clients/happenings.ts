import { Comment } from '#contract/tasks/v1/comment_types';
import { Project, ProjectMember, type ProjectEvent } from '#contract/tasks/v1/projects';
import type { ReaderEvent } from '#contract/tasks/v1/readers';
import { Task, TaskEventType, type TaskEvent } from '#contract/tasks/v1/tasks';
import { canonicalJson, type CanonicalJson } from '#libs/contract';
import { typesOfProject, typesOfTask } from '../domain/webhooks/event-types.ts';
import type { Happening } from '../domain/webhooks/happening.ts';

const task = canonicalJson('taskflow.tasks.v1.Task', Task);
const comment = canonicalJson('taskflow.tasks.v1.Comment', Comment);
const project = canonicalJson('taskflow.tasks.v1.Project', Project);
const member = canonicalJson('taskflow.tasks.v1.ProjectMember', ProjectMember);

/** The resource as it is, or was last, and, when it is still there, as it was before. */
function resource<T>(name: string, { encode }: CanonicalJson<T>, before: T | undefined, after: T | undefined): object {
  const current = after ?? before;
  if (current === undefined) return {};
  const previous = after === undefined || before === undefined ? {} : { [`previous_${name}`]: encode(before) };
  return { [name]: encode(current), ...previous };
}

const common = ({ position, createTime, actor }: TaskEvent | ProjectEvent) => ({
  position: position as Happening['position'],
  time: createTime ?? new Date(0),
  actor,
});

const commentTypes: ReadonlySet<TaskEventType> = new Set([
  TaskEventType.COMMENT_ADDED,
  TaskEventType.COMMENT_EDITED,
  TaskEventType.COMMENT_DELETED,
]);

/** The task is the subject, so that what is said about it stays in the order of its changes. */
function ofComment(event: TaskEvent, { projectId, otherProjectId }: ReaderEvent): Happening {
  const { type, taskId, taskVersion, change } = event;
  const told = change?.comment;
  return {
    ...common(event),
    // Whoever may not see the comment any more is told nothing; that the task is gone, its own event tells.
    types: told === undefined ? [] : typesOfTask(event),
    subjectId: taskId,
    taskId,
    version: taskVersion,
    deletedCommentId: type === TaskEventType.COMMENT_DELETED ? (told?.id ?? '') : '',
    projectId,
    otherProjectId,
    data: {
      task_id: taskId,
      task_version: String(taskVersion),
      ...(told === undefined ? {} : { comment: comment.encode(told) }),
    },
  };
}

function ofTask(event: TaskEvent, reader: ReaderEvent): Happening {
  if (commentTypes.has(event.type)) return ofComment(event, reader);
  const { removed, projectId, otherProjectId } = reader;
  const { taskId, taskVersion, change } = event;
  return {
    ...common(event),
    types: typesOfTask(event),
    subjectId: taskId,
    taskId,
    version: taskVersion,
    deletedCommentId: '',
    projectId,
    otherProjectId,
    data: {
      task_id: taskId,
      task_version: String(taskVersion),
      ...(removed ? { removed } : {}),
      ...resource('task', task, change?.before, change?.after),
    },
  };
}

function ofProject(event: ProjectEvent, { projectId, otherProjectId }: ReaderEvent): Happening {
  const { subjectId, subjectVersion, change } = event;
  const isAboutMember = subjectId !== event.projectId;
  return {
    ...common(event),
    types: typesOfProject(event),
    subjectId,
    taskId: '',
    version: subjectVersion,
    deletedCommentId: '',
    projectId,
    otherProjectId,
    data: {
      project_id: event.projectId,
      ...(isAboutMember
        ? { user_id: subjectId, ...resource('member', member, change?.memberBefore, change?.memberAfter) }
        : resource('project', project, change?.before, change?.after)),
    },
  };
}

/** Undefined for what a later release of tasks tells. */
export function toHappening(reader: ReaderEvent): Happening | undefined {
  const { event } = reader;
  if (event === undefined) return undefined;
  return event.$case === 'task' ? ofTask(event.value, reader) : ofProject(event.value, reader);
}
