import type { UpsertProfileResponse } from '#contract/users/v1/users';
import type { UsersDeps } from '../deps.ts';
import type { AccountCopy } from '../domain/profile.columns.ts';

/** Stores what auth says about an account; repeated and outdated messages change nothing. */
export async function upsertProfile(
  { uow, clock }: Pick<UsersDeps, 'uow' | 'clock'>,
  copy: AccountCopy,
): Promise<UpsertProfileResponse> {
  await uow.run(({ profiles }) => profiles.upsertAccountCopy(copy, clock.now()));
  return {};
}
