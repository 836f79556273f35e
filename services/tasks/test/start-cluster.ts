import { randomBytes } from 'node:crypto';
import { AuthServiceService } from '#contract/auth/v1/auth';
import { TasksServiceService } from '#contract/tasks/v1/tasks';
import { UsersServiceService } from '#contract/users/v1/users';
import { startCluster, testPostgresUrl, testRedisUrl, type Cluster, type ClusterOptions } from '#libs/devcluster';
import { openPublicClient, patiently, type PublicClient } from '#libs/grpc';
import type { TestUser } from './start-tasks.ts';

export interface TasksCluster {
  cluster: Cluster;
  tasks: PublicClient<typeof TasksServiceService>;
  /** Somebody whom every service knows. */
  newUser(displayName: string): Promise<TestUser>;
  admin(): Promise<TestUser>;
  stop(): Promise<void>;
}

/** auth, users and tasks as processes of their own. */
export async function startTasksCluster(options: Partial<ClusterOptions> = {}): Promise<TasksCluster> {
  const cluster = await startCluster({
    postgresAdminUrl: testPostgresUrl(),
    redisUrl: testRedisUrl(),
    copyDatabases: true,
    ports: 'free',
    services: ['auth', 'users', 'tasks'],
    ...options,
  });
  const auth = openPublicClient(AuthServiceService, cluster.address('auth'));
  const users = openPublicClient(UsersServiceService, cluster.address('users'));
  const tasks = openPublicClient(TasksServiceService, cluster.address('tasks'));
  return {
    cluster,
    tasks,
    newUser: async (displayName) => {
      const email = `${randomBytes(8).toString('hex')}@example.com`;
      const { account, tokens } = await auth.register({ email, password: randomBytes(12).toString('hex'), displayName });
      const user = { userId: account?.id ?? '', as: { token: tokens?.accessToken ?? '' } };
      // On a busy machine auth answers before users has heard of it.
      await patiently(() => users.getMe({}, user.as));
      return user;
    },
    admin: async () => {
      const { account, tokens } = await auth.login({ email: cluster.admin.email, password: cluster.admin.password });
      return { userId: account?.id ?? '', as: { token: tokens?.accessToken ?? '' } };
    },
    stop: async () => {
      for (const client of [auth, users, tasks]) client.close();
      await cluster.stop();
    },
  };
}
