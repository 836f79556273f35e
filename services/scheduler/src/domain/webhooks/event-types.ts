import { WebhookMessageType } from '#contract/scheduler/v1/notifications';
import { ProjectEventType, type ProjectEvent } from '#contract/tasks/v1/projects';
import { TaskEventType, TaskStatus, type TaskEvent } from '#contract/tasks/v1/tasks';

/** The types of what happens, as messages name them. */
export const eventTypeNames = {
  [WebhookMessageType.TASK_CREATED]: 'task.created',
  [WebhookMessageType.TASK_UPDATED]: 'task.updated',
  [WebhookMessageType.TASK_COMPLETED]: 'task.completed',
  [WebhookMessageType.TASK_MOVED]: 'task.moved',
  [WebhookMessageType.TASK_DELETED]: 'task.deleted',
  [WebhookMessageType.TASK_UNDELETED]: 'task.undeleted',
  [WebhookMessageType.COMMENT_ADDED]: 'comment.added',
  [WebhookMessageType.COMMENT_EDITED]: 'comment.edited',
  [WebhookMessageType.COMMENT_DELETED]: 'comment.deleted',
  [WebhookMessageType.PROJECT_CREATED]: 'project.created',
  [WebhookMessageType.PROJECT_UPDATED]: 'project.updated',
  [WebhookMessageType.PROJECT_ARCHIVED]: 'project.archived',
  [WebhookMessageType.PROJECT_UNARCHIVED]: 'project.unarchived',
  [WebhookMessageType.PROJECT_DELETED]: 'project.deleted',
  [WebhookMessageType.PROJECT_UNDELETED]: 'project.undeleted',
  [WebhookMessageType.MEMBER_ADDED]: 'member.added',
  [WebhookMessageType.MEMBER_UPDATED]: 'member.updated',
  [WebhookMessageType.MEMBER_REMOVED]: 'member.removed',
} as const;

/** What a webhook can be sent of what happens. */
export type EventType = keyof typeof eventTypeNames;
export const eventTypes = Object.keys(eventTypeNames) as EventType[];

const taskTypes: Partial<Record<TaskEventType, EventType>> = {
  [TaskEventType.CREATED]: WebhookMessageType.TASK_CREATED,
  [TaskEventType.UPDATED]: WebhookMessageType.TASK_UPDATED,
  [TaskEventType.MOVED]: WebhookMessageType.TASK_UPDATED,
  [TaskEventType.DELETED]: WebhookMessageType.TASK_DELETED,
  [TaskEventType.UNDELETED]: WebhookMessageType.TASK_UNDELETED,
  [TaskEventType.COMMENT_ADDED]: WebhookMessageType.COMMENT_ADDED,
  [TaskEventType.COMMENT_EDITED]: WebhookMessageType.COMMENT_EDITED,
  [TaskEventType.COMMENT_DELETED]: WebhookMessageType.COMMENT_DELETED,
};

const projectTypes: Partial<Record<ProjectEventType, EventType>> = {
  [ProjectEventType.CREATED]: WebhookMessageType.PROJECT_CREATED,
  [ProjectEventType.UPDATED]: WebhookMessageType.PROJECT_UPDATED,
  [ProjectEventType.ARCHIVED]: WebhookMessageType.PROJECT_ARCHIVED,
  [ProjectEventType.UNARCHIVED]: WebhookMessageType.PROJECT_UNARCHIVED,
  [ProjectEventType.DELETED]: WebhookMessageType.PROJECT_DELETED,
  [ProjectEventType.UNDELETED]: WebhookMessageType.PROJECT_UNDELETED,
  [ProjectEventType.MEMBER_ADDED]: WebhookMessageType.MEMBER_ADDED,
  [ProjectEventType.MEMBER_UPDATED]: WebhookMessageType.MEMBER_UPDATED,
  [ProjectEventType.MEMBER_REMOVED]: WebhookMessageType.MEMBER_REMOVED,
};

/** The most specific type first; none of what is told otherwise, such as that a task is overdue. */
export function typesOfTask({ type, change }: TaskEvent): EventType[] {
  const isCompleted =
    type === TaskEventType.UPDATED &&
    change?.after?.status === TaskStatus.COMPLETED &&
    change.before?.status !== TaskStatus.COMPLETED;
  const special = type === TaskEventType.MOVED ? WebhookMessageType.TASK_MOVED : undefined;
  const general = taskTypes[type];
  return [isCompleted ? WebhookMessageType.TASK_COMPLETED : special, general].filter((each) => each !== undefined);
}

export function typesOfProject({ type }: ProjectEvent): EventType[] {
  const found = projectTypes[type];
  return found === undefined ? [] : [found];
}
