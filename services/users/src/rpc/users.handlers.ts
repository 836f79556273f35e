import { z } from 'zod';
import type { GetUserRequest, ListUsersRequest, UsersServiceService } from '#contract/users/v1/users';
import { fieldTypes, parseRequest } from '#libs/errors';
import { fieldsOf } from '#libs/fields';
import { requireUser, type Handlers } from '#libs/grpc';
import type { UsersDeps } from '../deps.ts';
import { roles } from '../domain/profile.columns.ts';
import { findUser } from '../use-cases/find-user.ts';
import { getMe } from '../use-cases/get-me.ts';
import { getUser } from '../use-cases/get-user.ts';
import { listUsers, type ListUsersInput } from '../use-cases/list-users.ts';
import { updateUser } from '../use-cases/update-user.ts';
import { readUpdateUser } from './update-user.request.ts';
import { email, rolesOf } from './users.schemas.ts';

export function usersHandlers(deps: UsersDeps): Handlers<UsersServiceService> {
  return {
    getMe: (_, call) => getMe(deps, requireUser(call)),
    getUser: async (request, call) => getUser(deps, requireUser(call), readGetUser(request)),
    updateUser: (request, call) => updateUser(deps, requireUser(call), readUpdateUser(request, deps)),
    findUser: async (request, call) => findUser(deps, requireUser(call), parseRequest(findSchema, request).email),
    listUsers: async (request, call) => listUsers(deps, requireUser(call), readListUsers(request)),
  };
}

const getSchema = z.object({ userId: fieldTypes.uuid() });

function readGetUser(request: GetUserRequest): string {
  return parseRequest(getSchema, request).userId;
}

const findSchema = z.object({ email });

const list = fieldsOf('taskflow.users.v1.ListUsersRequest');
const listSchema = z.object({
  pageSize: list.pageSize(),
  pageToken: list.pageToken(),
  query: list.text('query'),
  enabled: z
    .boolean()
    .optional()
    .transform((wanted) => (wanted === undefined ? [true, false] : [wanted])),
  roles: rolesOf.transform((wanted) => (wanted.length === 0 ? [...roles] : wanted)),
});

function readListUsers(request: ListUsersRequest): ListUsersInput {
  const { enabled, roles: wanted, ...rest } = parseRequest(listSchema, request);
  return { ...rest, filter: { roles: wanted, enabled } };
}
