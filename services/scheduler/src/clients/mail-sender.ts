import type { Logger } from '#libs/runtime';
import type { MailSender } from '../domain/mails/mail-sender.ts';
import { createFolderSender } from './mail-folder.client.ts';
import type { Sender } from './mail-message.ts';
import { createSmtpSender, type SmtpOptions } from './smtp.client.ts';

/** The way that mails take. */
export type MailWay =
  | ({ way: 'smtp' } & Pick<SmtpOptions, 'url' | 'startTls' | 'authority' | 'timeoutMs'>)
  | { way: 'folder'; folder: string };

/** Jobs that send at the same time in one process have a connection each. */
const connections = 8;

export function openMailSender(options: MailWay & { sender: Sender }, logger: Logger): MailSender {
  return options.way === 'smtp'
    ? createSmtpSender({ ...options, connections })
    : createFolderSender({ ...options, logger });
}
