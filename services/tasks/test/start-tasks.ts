import { afterAll, beforeAll } from '@jest/globals';
import { ExportServiceService } from '#contract/export/v1/export';
import { CommentsServiceService } from '#contract/tasks/v1/comments';
import { ProjectsServiceService } from '#contract/tasks/v1/projects';
import {
  InternalTasksServiceService,
  TasksServiceService,
  type SweepOverdueRequest,
  type SweepOverdueResponse,
} from '#contract/tasks/v1/tasks';
import type { RunningApp } from '#libs/runtime';
import { nobody, prepareTestService, type TestService, type TestUser } from '#dev/testing';
import { openStub, type Stub } from '#dev/stubs';
import { startApp, type AppOverrides } from '../src/app.ts';
import type { TasksConfig } from '../src/config.ts';

export type { TestUser } from '#dev/testing';

export interface TestTasks extends Pick<
  TestService,
  'databaseUrl' | 'logLines' | 'sql' | 'asService' | 'cutDatabase' | 'newUser'
> {
  tasks: Stub<typeof TasksServiceService>;
  projects: Stub<typeof ProjectsServiceService>;
  comments: Stub<typeof CommentsServiceService>;
  internal: Stub<typeof InternalTasksServiceService>;
  exports: Stub<typeof ExportServiceService>;
  app: RunningApp;
  /** As the scheduler, with a new token: one lives for a minute, which some tests exceed on a slow machine. */
  sweep(request?: Partial<SweepOverdueRequest>): Promise<SweepOverdueResponse>;
  stop(): Promise<void>;
}

/** Starts the service alone in this process, with its own database and keys. Redis is used only for limits. */
export async function startTasks({
  config: changes,
  ...overrides
}: AppOverrides & { config?: Partial<TasksConfig> } = {}): Promise<TestTasks> {
  const testService = await prepareTestService('tasks');
  const { logger, accessKeys } = testService;
  const config: TasksConfig = {
    ...testService.config,
    authAddress: nobody,
    usersAddress: nobody,
    sendsMail: true,
    retentionDays: 30,
    eventRetentionDays: 90,
    ...changes,
  };
  const app = await startApp(config, { logger, accessKeys, ...overrides });
  const tasks = openStub(TasksServiceService, `127.0.0.1:${app.grpcPort}`);
  const projects = openStub(ProjectsServiceService, `127.0.0.1:${app.grpcPort}`);
  const comments = openStub(CommentsServiceService, `127.0.0.1:${app.grpcPort}`);
  const internal = openStub(InternalTasksServiceService, `127.0.0.1:${app.grpcPort}`);
  const exports = openStub(ExportServiceService, `127.0.0.1:${app.grpcPort}`);
  return {
    ...testService,
    tasks,
    projects,
    comments,
    internal,
    exports,
    app,
    sweep: async (request = {}) => internal.sweepOverdue(request, await testService.asService('scheduler')),
    stop: async () => {
      tasks.close();
      projects.close();
      comments.close();
      internal.close();
      exports.close();
      await app.stop();
      await testService.leave();
    },
  };
}

/** Starts the service before the tests of a block and stops it after them; its members are there when the tests run. */
export function useTasks(options: Parameters<typeof startTasks>[0] = {}): TestTasks {
  const service = {} as TestTasks;
  beforeAll(async () => {
    Object.assign(service, await startTasks(options));
  });
  afterAll(() => service.stop());
  return service;
}

/** New users for the tests of a block, in the given roles. They are there when the tests run. */
export function useUsers<const R extends readonly ('user' | 'admin')[]>(
  service: Pick<TestTasks, 'newUser'>,
  ...roles: R
): { [K in keyof R]: TestUser } {
  const users = roles.map(() => ({}) as TestUser);
  beforeAll(async () => {
    const created = await Promise.all(roles.map((role) => service.newUser(role)));
    for (const [index, user] of users.entries()) Object.assign(user, created[index]);
  });
  return users as unknown as { [K in keyof R]: TestUser };
}
