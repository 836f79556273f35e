import { walkPages } from '#libs/db';
import type { UsersDeps } from '../deps.ts';
import { mailboxOf } from '#libs/text';

const batchSize = 500;

/** Fills in the mailboxes of profiles that an earlier release stored. */
export async function setMailboxes({ uow }: Pick<UsersDeps, 'uow'>): Promise<void> {
  await walkPages(batchSize, (afterId, limit) =>
    uow.run(async ({ profiles }) => {
      const batch = await profiles.listForeignEmails(afterId, limit);
      for (const profile of batch) {
        const mailbox = mailboxOf(profile.email);
        if (profile.mailbox !== mailbox) await profiles.setMailbox({ ...profile, mailbox });
      }
      return batch;
    }),
  );
}
