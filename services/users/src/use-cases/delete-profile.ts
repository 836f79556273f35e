import type { DeleteProfileResponse } from '#contract/users/v1/users';
import { crashPoint } from '#libs/runtime';
import type { UsersDeps } from '../deps.ts';

/** Removes what is known of a user whose account is being removed. Repeating it changes nothing. */
export async function deleteProfile({ uow }: Pick<UsersDeps, 'uow'>, userId: string): Promise<DeleteProfileResponse> {
  await uow.run(async ({ profiles }) => {
    await profiles.remove(userId);
    crashPoint('delete-profile.before-commit');
  });
  crashPoint('delete-profile.after-commit');
  return {};
}
