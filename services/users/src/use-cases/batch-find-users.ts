import type { BatchFindUsersResponse } from '#contract/users/v1/users';
import type { UsersDeps } from '../deps.ts';
import { isOpenTo, type Person } from '../domain/access.ts';

export interface BatchFindUsersInput {
  caller: Person;
  emails: string[];
}

/** Who has the e-mails, and which of them the caller may find without sharing a task with them. */
export async function batchFindUsers(
  { reader, defaults }: Pick<UsersDeps, 'reader' | 'defaults'>,
  { caller, emails }: BatchFindUsersInput,
): Promise<BatchFindUsersResponse> {
  const found = await reader.findByEmails(emails);
  return {
    foundUsers: found.map((one) => ({
      email: one.email,
      user: one.user,
      openToCaller: isOpenTo(caller, one, defaults),
    })),
  };
}
