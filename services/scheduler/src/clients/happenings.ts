import { Project, ProjectMember, type ProjectEvent } from '#contract/tasks/v1/projects';
import type { ReaderEvent } from '#contract/tasks/v1/readers';
import { Task, type TaskEvent } from '#contract/tasks/v1/tasks';
import { canonicalJson, type CanonicalJson } from '#libs/contract';
import { typesOfProject, typesOfTask } from '../domain/webhooks/event-types.ts';
import type { Happening } from '../domain/webhooks/happening.ts';

const task = canonicalJson('taskflow.tasks.v1.Task', Task);
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

function ofTask(event: TaskEvent, { removed, projectId }: ReaderEvent): Happening {
  const { taskId, taskVersion, change } = event;
  return {
    ...common(event),
    types: typesOfTask(event),
    subjectId: taskId,
    taskId,
    version: taskVersion,
    projectId,
    data: {
      task_id: taskId,
      task_version: String(taskVersion),
      ...(removed ? { removed } : {}),
      ...resource('task', task, change?.before, change?.after),
    },
  };
}

function ofProject(event: ProjectEvent, { projectId }: ReaderEvent): Happening {
  const { subjectId, subjectVersion, change } = event;
  const isAboutMember = subjectId !== event.projectId;
  return {
    ...common(event),
    types: typesOfProject(event),
    subjectId,
    taskId: '',
    version: subjectVersion,
    projectId,
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
