import { column, defineColumns, defineEntityOf, defineMessage, type Stored } from '#libs/db';
import { ProjectWatcher as WatcherMessage } from '#contract/tasks/v1/projects';

/**
 * Who watches all tasks of a project. As of tasks, a row counts only when it is younger than the membership, so that
 * leaving ends it.
 */
export const projectWatcherTable = defineColumns('project_watchers', {
  projectId: column.uuid().primary(),
  userId: column.uuid().primary(),
  createTime: column.time(),
});

export type ProjectWatcherValues = Stored<typeof projectWatcherTable.columns>;

/** The watcher as clients see it, without the name. */
export const toProjectWatcherMessage = defineMessage<WatcherMessage, object>(WatcherMessage.fromPartial({}))(
  projectWatcherTable,
  { userName: () => '', userServiceAccount: () => false },
);

export const ProjectWatcherSchema = defineEntityOf(projectWatcherTable, {
  name: 'ProjectWatcher',
  indexes: [{ name: 'project_watchers_of_user', properties: ['userId', 'projectId'] }],
});
