import { column, defineColumns, defineEntityOf, defineMessage, type Stored } from '#libs/db';
import { TaskWatcher as WatcherMessage } from '#contract/tasks/v1/tasks';

/**
 * A person's choice to watch a task, or to stop. Owner and assignee watch without a row. In a project a row counts only
 * when it is younger than the membership, so that leaving ends it.
 */
export const watcherTable = defineColumns('task_watchers', {
  taskId: column.uuid().primary(),
  userId: column.uuid().primary(),
  watching: column.boolean(),
  createTime: column.time(),
});

export type WatcherValues = Stored<typeof watcherTable.columns>;

/** The watcher as clients see it, without the name. */
export const toWatcherMessage = defineMessage<WatcherMessage, object>(WatcherMessage.fromPartial({}))(watcherTable, {
  userName: () => '',
  userServiceAccount: () => false,
});

export const WatcherSchema = defineEntityOf(watcherTable, {
  name: 'TaskWatcher',
  indexes: [{ name: 'task_watchers_of_user', properties: ['userId', 'taskId'] }],
});
