import { Role } from '#contract/auth/v1/auth';
import type { UpsertProfileRequest } from '#contract/users/v1/users';
import { uuidv7 } from '#libs/db';
import type { TestUsers } from './start-users.ts';

export function profileRequest(changes: Partial<UpsertProfileRequest> = {}): UpsertProfileRequest {
  const userId = changes.userId ?? uuidv7();
  return {
    userId,
    email: `${userId}@example.com`,
    role: Role.USER,
    enabled: true,
    displayName: 'Ada',
    accountVersion: 1n,
    accountCreateTime: new Date('2026-01-02T03:04:05.678Z'),
    ...changes,
  };
}

/** A profile that auth has sent, and a token of its user. */
export async function createUser(service: TestUsers, changes: Partial<UpsertProfileRequest> = {}): Promise<{ userId: string; token: string }> {
  const request = profileRequest(changes);
  await service.internal.upsertProfile(request, await service.asService('auth'));
  return { userId: request.userId, token: await service.tokenFor(request.userId, request.role === Role.ADMIN ? 'admin' : 'user') };
}
