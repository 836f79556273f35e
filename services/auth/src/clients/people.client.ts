import { InternalTasksServiceService } from '#contract/tasks/v1/tasks';
import { InternalUsersServiceService, Role } from '#contract/users/v1/users';
import { createClient, type ClientOptions } from '#libs/grpc';
import type { AuthDeps, PeopleFinder } from '../deps.ts';

/** Asks users and tasks, each for its half of the rule: see decision 34. */
export function createPeopleFinder(
  addresses: { users: string; tasks: string },
  options: Omit<ClientOptions, 'callee' | 'address'> & Pick<AuthDeps, 'newId'>,
): PeopleFinder & { close(): void } {
  const users = createClient(InternalUsersServiceService, { callee: 'users', address: addresses.users, ...options });
  const tasks = createClient(InternalTasksServiceService, { callee: 'tasks', address: addresses.tasks, ...options });
  return {
    findByEmail: async ({ userId, role }, email) => {
      const callerRole = role === 'admin' ? Role.ADMIN : Role.USER;
      const { foundUsers } = await users.client.batchFindUsers({ callerId: userId, callerRole, emails: [email] });
      const [found] = foundUsers;
      if (found?.openToCaller === true) return found.user?.id;
      // Asked for an unknown e-mail too, about an id that nobody has, so that both take the same work.
      const id = found?.user?.id ?? options.newId();
      const { sharingUserIds } = await tasks.client.batchCheckSharing({ userId, otherUserIds: [id] });
      return sharingUserIds.includes(id) ? id : undefined;
    },
    close: () => [users, tasks].forEach(({ close }) => close()),
  };
}
