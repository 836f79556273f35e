import { AuthServiceService } from '#contract/auth/v1/auth';
import { InternalUsersServiceService, UsersServiceService } from '#contract/users/v1/users';
import { bind, type Handlers, type ServiceBinding } from '../src/index.ts';

type PublicHandlers = Handlers<typeof UsersServiceService>;
type InternalHandlers = Handlers<typeof InternalUsersServiceService>;

/** UsersService with empty answers, except for the given methods. */
export function usersBinding(handlers: Partial<PublicHandlers> = {}): ServiceBinding {
  return bind(UsersServiceService, {
    getMe: async () => ({}),
    getUser: async () => ({}),
    updateUser: async () => ({}),
    findUser: async () => ({}),
    listUsers: async () => ({ users: [], nextPageToken: '' }),
    ...handlers,
  });
}

/** InternalUsersService, the same. */
export function internalUsersBinding(handlers: Partial<InternalHandlers> = {}): ServiceBinding {
  return bind(InternalUsersServiceService, {
    upsertProfile: async () => ({}),
    batchGetUsers: async ({ userIds }) => ({ users: [], unknownUserIds: userIds }),
    batchFindUsers: async () => ({ foundUsers: [] }),
    batchGetNotificationSettings: async () => ({ settings: [] }),
    deleteProfile: async () => ({}),
    ...handlers,
  });
}

type AuthHandlers = Handlers<typeof AuthServiceService>;

/** AuthService with the given methods; the others throw. */
export function authBinding(handlers: Partial<AuthHandlers>): ServiceBinding {
  const unused = async (): Promise<never> => {
    throw new Error('not called here');
  };
  const all = Object.fromEntries(Object.keys(AuthServiceService).map((name) => [name, unused]));
  return bind(AuthServiceService, { ...(all as unknown as AuthHandlers), ...handlers });
}

export const paths = {
  getMe: '/taskflow.users.v1.UsersService/GetMe',
  getUser: '/taskflow.users.v1.UsersService/GetUser',
  updateUser: '/taskflow.users.v1.UsersService/UpdateUser',
  listUsers: '/taskflow.users.v1.UsersService/ListUsers',
  upsertProfile: '/taskflow.users.v1.InternalUsersService/UpsertProfile',
  batchGetUsers: '/taskflow.users.v1.InternalUsersService/BatchGetUsers',
  getJwks: '/taskflow.auth.v1.AuthService/GetJwks',
} as const;
