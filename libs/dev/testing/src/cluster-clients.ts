import { AuthServiceService } from '#contract/auth/v1/auth';
import { NotificationsServiceService } from '#contract/scheduler/v1/notifications';
import { TasksServiceService } from '#contract/tasks/v1/tasks';
import { UsersServiceService } from '#contract/users/v1/users';
import type { Cluster } from '#dev/cluster';
import { openPublicClient } from '#libs/grpc';

export type ClusterClients = ReturnType<typeof openClients>;

/** Clients of all replicas. Without `resend` they send nothing twice by themselves, so that whatever a server fails is seen. */
export function openClients(cluster: Cluster, { resend }: { resend: boolean }) {
  const options = { roundRobin: true, resend, certificates: cluster.certificates };
  const clients = {
    auth: openPublicClient(AuthServiceService, cluster.target('auth'), options),
    users: openPublicClient(UsersServiceService, cluster.target('users'), options),
    tasks: openPublicClient(TasksServiceService, cluster.target('tasks'), options),
    notifications: openPublicClient(NotificationsServiceService, cluster.target('scheduler'), options),
  };
  return { ...clients, close: () => Object.values(clients).forEach((client) => client.close()) };
}
