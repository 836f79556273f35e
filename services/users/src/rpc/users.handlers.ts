import type { UsersServiceService } from '#contract/users/v1/users';
import { parseRequest } from '#libs/errors';
import { requireUser, type Handlers } from '#libs/grpc';
import type { UsersDeps } from '../deps.ts';
import { getMe } from '../use-cases/get-me.ts';
import { getUser } from '../use-cases/get-user.ts';
import { listUsers } from '../use-cases/list-users.ts';
import { updateUser } from '../use-cases/update-user.ts';
import { toUserMessage } from './users.mapper.ts';
import { getUserSchema, listUsersSchema, updateUserSchema } from './users.schemas.ts';

export function usersHandlers(deps: UsersDeps): Handlers<UsersServiceService> {
  return {
    getMe: async (_, call) => ({ user: toUserMessage(await getMe(deps, requireUser(call))) }),
    getUser: async (request, call) => {
      const { userId } = parseRequest(getUserSchema, request);
      return { user: toUserMessage(await getUser(deps, requireUser(call), userId)) };
    },
    updateUser: async (request, call) => {
      const { user } = parseRequest(updateUserSchema(request.updateMask), request);
      const { id: userId, etag, ...change } = user;
      return { user: toUserMessage(await updateUser(deps, requireUser(call), { userId, etag, change })) };
    },
    listUsers: async (request, call) => {
      const { users, nextPageToken } = await listUsers(deps, requireUser(call), parseRequest(listUsersSchema, request));
      return { users: users.map(toUserMessage), nextPageToken };
    },
  };
}
