import { UpdateUserRequest, UpdateUserResponse } from '#contract/users/v1/users';
import { once } from '#libs/db';
import type { UserActor } from '#libs/runtime';
import type { UsersDeps } from '../deps.ts';
import { assertMaySee } from '../domain/access.ts';
import type { ProfileChange } from '../domain/profile.columns.ts';
import { toUserMessage } from '../domain/profile.columns.ts';
import { etagMismatch, userNotFound } from '../domain/users.errors.ts';

export interface UpdateUserInput {
  userId: string;
  /** '' = whatever the current one is. */
  etag: string;
  change: ProfileChange;
  /** The field request_id; '' = none. */
  idempotencyKey: string;
  /** Checks and answers in the same way, but changes nothing. */
  validateOnly: boolean;
  /** The request that a repeat under the same key must equal. */
  body: UpdateUserRequest;
}

export async function updateUser(
  { uow, clock, defaults }: Pick<UsersDeps, 'uow' | 'clock' | 'defaults'>,
  actor: UserActor,
  { userId, etag, change, idempotencyKey, validateOnly, body }: UpdateUserInput,
): Promise<UpdateUserResponse> {
  assertMaySee(actor, userId);
  const run = validateOnly ? uow.dryRun : uow.run;
  return run(
    async ({ profiles }) => {
      const profile = await profiles.lock(userId);
      if (profile === undefined) throw userNotFound(userId);
      if (etag !== '' && etag !== profile.etag) throw etagMismatch(userId);
      profile.change(change, clock.now());
      return { user: toUserMessage(profile, defaults) };
    },
    once({ userId: actor.userId, method: 'UpdateUser', idempotencyKey }, body, UpdateUserRequest, UpdateUserResponse),
  );
}
