import { InternalUsersServiceService, Role, type UpsertProfileRequest } from '#contract/users/v1/users';
import { createClient } from '#libs/grpc';
import type { ServiceIdentity } from '#libs/identity';
import type { Logger, Metrics } from '#libs/runtime';
import type { ProfileDelivery } from '../deps.ts';
import type { ProfileUpsert } from '../domain/profile-upsert.ts';
import { createFirstAttempts } from './first-attempts.ts';

export interface ProfileClientOptions {
  address: string;
  identity: ServiceIdentity;
  logger: Logger;
  metrics: Metrics;
}

export interface ProfileClient extends ProfileDelivery {
  /** Throws AppError when users did not take it. */
  send(profile: ProfileUpsert): Promise<void>;
  close(): void;
}

/** Sends accounts to users, and resolves those who wait for the first attempt. */
export function createProfileClient(options: ProfileClientOptions): ProfileClient {
  const { client, close } = createClient(InternalUsersServiceService, { callee: 'users', ...options });
  const attempts = createFirstAttempts();
  return {
    send: (profile) =>
      attempts.attempt(profile.accountId, async () => void (await client.upsertProfile(toRequest(profile)))),
    waitForFirstAttempt: attempts.waitFor,
    close,
  };
}

function toRequest(profile: ProfileUpsert): UpsertProfileRequest {
  const {
    accountId,
    email,
    role,
    enabled,
    emailVerified = false,
    displayName,
    accountVersion,
    accountCreateTime,
    serviceAccount = false,
    purgeTime,
  } = profile;
  return {
    userId: accountId,
    email,
    role: role === 'admin' ? Role.ADMIN : Role.USER,
    enabled,
    emailVerified,
    displayName,
    accountVersion: BigInt(accountVersion),
    accountCreateTime: new Date(accountCreateTime),
    serviceAccount,
    purgeTime: purgeTime === undefined ? undefined : new Date(purgeTime),
  };
}
