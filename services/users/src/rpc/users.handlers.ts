import { z } from 'zod';
import type { GetUserRequest, ListUsersRequest, UsersServiceService } from '#contract/users/v1/users';
import { fieldTypes, parseRequest } from '#libs/errors';
import { requireUser, type Handlers } from '#libs/grpc';
import type { UsersDeps } from '../deps.ts';
import { getMe } from '../use-cases/get-me.ts';
import { getUser } from '../use-cases/get-user.ts';
import { listUsers, type ListUsersInput } from '../use-cases/list-users.ts';
import { updateUser } from '../use-cases/update-user.ts';
import { readUpdateUser } from './update-user.request.ts';

export function usersHandlers(deps: UsersDeps): Handlers<UsersServiceService> {
  return {
    getMe: (_, call) => getMe(deps, requireUser(call)),
    getUser: async (request, call) => getUser(deps, requireUser(call), readGetUser(request)),
    updateUser: (request, call) => updateUser(deps, requireUser(call), readUpdateUser(request)),
    listUsers: async (request, call) => listUsers(deps, requireUser(call), readListUsers(request)),
  };
}

const getSchema = z.object({ userId: fieldTypes.uuid() });

function readGetUser(request: GetUserRequest): string {
  return parseRequest(getSchema, request).userId;
}

const maxQueryCharacters = 100;
const listSchema = z.object({
  pageSize: fieldTypes.pageSize(),
  pageToken: fieldTypes.pageToken(),
  query: fieldTypes.text({ max: maxQueryCharacters }),
});

function readListUsers(request: ListUsersRequest): ListUsersInput {
  return parseRequest(listSchema, request);
}
