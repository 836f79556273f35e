import { InternalUsersServiceService, Role, type UpsertProfileRequest } from '#contract/users/v1/users';
import { createClient } from '#libs/grpc';
import type { ServiceIdentity } from '#libs/identity';
import { settlesWithin, type Logger, type Metrics } from '#libs/runtime';
import type { ProfileDelivery } from '../deps.ts';
import type { ProfileUpsert } from '../domain/profile-upsert.ts';

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

// A profile usually arrives within ten milliseconds, so a client that goes on at once finds it. If users is slow or
// down, the registration is answered without waiting for it.
const maxWaitMs = 300;

/** Sends accounts to users, and resolves those who wait for the first attempt. */
export function createProfileClient(options: ProfileClientOptions): ProfileClient {
  const { client, close } = createClient(InternalUsersServiceService, { callee: 'users', ...options });
  const waiting = new Map<string, () => void>();
  return {
    send: async (profile) => {
      try {
        await client.upsertProfile(toRequest(profile));
      } finally {
        waiting.get(profile.accountId)?.();
      }
    },
    waitForFirstAttempt: async (accountId) => {
      const { promise, resolve } = Promise.withResolvers<void>();
      waiting.set(accountId, resolve);
      await settlesWithin(promise, maxWaitMs);
      waiting.delete(accountId);
    },
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
