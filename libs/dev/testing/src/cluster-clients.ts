import { AuthServiceService } from '#contract/auth/v1/auth';
import { NotificationsServiceService } from '#contract/scheduler/v1/notifications';
import { TasksServiceService } from '#contract/tasks/v1/tasks';
import { UsersServiceService } from '#contract/users/v1/users';
import type { Cluster } from '#dev/cluster';
import { openStub } from '#dev/stubs';

export type ClusterClients = ReturnType<typeof openClients>;

/** Of all replicas in turn. They send nothing twice by themselves, so that whatever a server fails is seen. */
export function openClients(cluster: Cluster) {
  const options = { roundRobin: true, resend: false, certificates: cluster.certificates };
  const clients = {
    auth: openStub(AuthServiceService, cluster.target('auth'), options),
    users: openStub(UsersServiceService, cluster.target('users'), options),
    tasks: openStub(TasksServiceService, cluster.target('tasks'), options),
    notifications: openStub(NotificationsServiceService, cluster.target('scheduler'), options),
  };
  return { ...clients, close: () => Object.values(clients).forEach((client) => client.close()) };
}
