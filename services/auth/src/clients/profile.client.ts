import { InternalUsersServiceService, type UpsertProfileRequest } from '#contract/users/v1/users';
import { Role } from '#contract/auth/v1/auth';
import { createClient, type ServiceIdentity } from '#libs/grpc';
import type { Logger, Metrics } from '#libs/runtime';
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

// A profile is there within some ten milliseconds, so that a client which goes on at once finds it; when users is slow
// or down, the registration is answered without it.
const patienceMs = 300;

/** Sends accounts to users, and tells whoever waits for one that it was tried. */
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
      const timer = setTimeout(resolve, patienceMs);
      waiting.set(accountId, resolve);
      await promise;
      clearTimeout(timer);
      waiting.delete(accountId);
    },
    close,
  };
}

function toRequest(profile: ProfileUpsert): UpsertProfileRequest {
  const { accountId, email, role, enabled, displayName, accountVersion, accountCreateTime } = profile;
  return {
    userId: accountId,
    email,
    role: role === 'admin' ? Role.ADMIN : Role.USER,
    enabled,
    displayName,
    accountVersion: BigInt(accountVersion),
    accountCreateTime: new Date(accountCreateTime),
  };
}
