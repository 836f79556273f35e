import type { FindUserResponse } from '#contract/users/v1/users';
import type { UserActor } from '#libs/runtime';
import type { UsersDeps } from '../deps.ts';
import { isOpenTo } from '../domain/access.ts';
import { nobodyFound } from '../domain/users.errors.ts';

/**
 * The user of an e-mail. Whoever is not found is answered like nobody, after the same work: whether the caller shares a
 * task with the user is asked for an unknown e-mail too, about an id that nobody has.
 */
export async function findUser(
  { reader, sharing, newId, defaults }: Pick<UsersDeps, 'reader' | 'sharing' | 'newId' | 'defaults'>,
  actor: UserActor,
  email: string,
): Promise<FindUserResponse> {
  const [found] = await reader.findByEmails([email]);
  if (found !== undefined && isOpenTo(actor, found, defaults)) return { user: found.user };
  const isSharing = await sharing.shareTask(actor.userId, found?.user.id ?? newId());
  if (found === undefined || !isSharing) throw nobodyFound();
  return { user: found.user };
}
