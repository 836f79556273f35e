import { expect } from '@jest/globals';
import {
  Role,
  User,
  type ListUsersRequest,
  type UpdateUserRequest,
  type UpsertProfileRequest,
} from '#contract/users/v1/users';
import { uuidv7 } from '#libs/db';
import type { TestUsers } from './start-users.ts';

export function profileRequest(changes: Partial<UpsertProfileRequest> = {}): UpsertProfileRequest {
  const userId = changes.userId ?? uuidv7();
  return {
    userId,
    email: `${userId}@example.com`,
    role: Role.USER,
    enabled: true,
    emailVerified: false,
    displayName: 'Ada',
    accountVersion: 1n,
    serviceAccount: false,
    accountCreateTime: new Date('2026-01-02T03:04:05.678Z'),
    ...changes,
  };
}

/** A profile that auth has sent, and a token of its user. */
export async function createUser(service: TestUsers, changes: Partial<UpsertProfileRequest> = {}): Promise<Person> {
  const request = profileRequest(changes);
  await service.internal.upsertProfile(request, await service.asService('auth'));
  return {
    userId: request.userId,
    token: await service.tokenFor(request.userId, request.role === Role.ADMIN ? 'admin' : 'user'),
  };
}

export interface Person {
  userId: string;
  token: string;
}

/** Changes the fields of a person's profile, with the person's token. */
export async function update(
  { users }: Pick<TestUsers, 'users'>,
  { userId, token }: Person,
  fields: Partial<User>,
  rest: Partial<Omit<UpdateUserRequest, 'user'>> = {},
): Promise<User | undefined> {
  return (await users.updateUser({ user: User.fromPartial({ id: userId, ...fields }), ...rest }, { token })).user;
}

export async function read({ users }: Pick<TestUsers, 'users'>, { token }: Person): Promise<User | undefined> {
  return (await users.getMe({}, { token })).user;
}

/** All users that ListUsers gives, page by page; `between` runs after each page. */
export async function listAll(
  { users }: Pick<TestUsers, 'users'>,
  token: string,
  { pageSize, ...filter }: { pageSize: number } & Partial<ListUsersRequest>,
  between: (page: number) => Promise<unknown> = () => Promise.resolve(),
): Promise<User[]> {
  const listed: User[] = [];
  let pageToken = '';
  for (let page = 0; page === 0 || pageToken !== ''; page += 1) {
    const response = await users.listUsers({ ...filter, pageSize, pageToken }, { token });
    expect(response.users.length).toBeLessThanOrEqual(pageSize);
    listed.push(...response.users);
    pageToken = response.nextPageToken;
    await between(page);
  }
  return listed;
}
