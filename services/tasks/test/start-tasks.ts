import { InternalTasksServiceService, TasksServiceService } from '#contract/tasks/v1/tasks';
import { openPublicClient, type PublicClient } from '#libs/grpc';
import type { RunningApp } from '#libs/runtime';
import { nobody, prepareGrounds, type Grounds } from '../../test/grounds.ts';
import { startApp, type AppOverrides } from '../src/app.ts';
import type { TasksConfig } from '../src/config.ts';

export type { TestUser } from '../../test/grounds.ts';

export interface TestTasks extends Pick<Grounds, 'databaseUrl' | 'logLines' | 'sql' | 'asService' | 'cutDatabase' | 'newUser'> {
  tasks: PublicClient<typeof TasksServiceService>;
  internal: PublicClient<typeof InternalTasksServiceService>;
  app: RunningApp;
  stop(): Promise<void>;
}

/** The service alone in this process, on a database of its own, with keys of its own. Redis only counts limits. */
export async function startTasks({ config: changes, ...overrides }: AppOverrides & { config?: Partial<TasksConfig> } = {}): Promise<TestTasks> {
  const grounds = await prepareGrounds('tasks');
  const { logger, accessKeys } = grounds;
  const config: TasksConfig = { ...grounds.config, authAddress: nobody, usersAddress: nobody, retentionDays: 30, eventRetentionDays: 90, ...changes };
  const app = await startApp(config, { logger, accessKeys, ...overrides });
  const tasks = openPublicClient(TasksServiceService, `127.0.0.1:${app.grpcPort}`);
  const internal = openPublicClient(InternalTasksServiceService, `127.0.0.1:${app.grpcPort}`);
  return {
    ...grounds,
    tasks,
    internal,
    app,
    stop: async () => {
      tasks.close();
      internal.close();
      await app.stop();
      await grounds.leave();
    },
  };
}
