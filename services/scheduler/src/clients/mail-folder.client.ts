import { mkdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { assertNoOpenTransaction, type Logger } from '#libs/runtime';
import type { MailSender } from '../domain/mails/mail-sender.ts';
import { composeMail, type Sender } from './mail-message.ts';

/** Writes each mail into a file that a mail program or an editor opens, in place of sending it: for development. */
export function createFolderSender(options: { folder: string; sender: Sender; logger: Logger }): MailSender {
  const { folder, sender, logger } = options;
  return {
    send: async (mail, { beforeEnd }) => {
      assertNoOpenTransaction('a folder of mails');
      await mkdir(folder, { recursive: true });
      const path = join(folder, `${mail.id}.eml`);
      await writeFile(`${path}.part`, await composeMail(mail, sender, { readable: true }));
      await beforeEnd();
      await rename(`${path}.part`, path);
      logger.info({ path }, 'mail written');
      return { outcome: 'accepted', code: undefined, error: '', isPermanent: false };
    },
    close: () => undefined,
  };
}
