import MailComposer from 'nodemailer/lib/mail-composer';
import type { OutgoingMail } from '../domain/mails/mail-sender.ts';

/** Who sends. */
export interface Sender {
  name: string;
  address: string;
}

/** The bytes of a mail as they go over the wire, without the end of the message. */
export function composeMail(mail: OutgoingMail, sender: Sender): Promise<Buffer> {
  const domain = sender.address.slice(sender.address.lastIndexOf('@') + 1);
  const unsubscribe = mail.unsubscribe.map((uri) => `<${uri}>`).join(', ');
  const composer = new MailComposer({
    from: sender,
    to: mail.to,
    subject: mail.subject,
    messageId: `<${mail.id}@${domain}>`,
    text: mail.text,
    html: mail.html,
    headers: {
      // RFC 3834: no out-of-office replies.
      'Auto-Submitted': 'auto-generated',
      ...(unsubscribe !== '' && { 'List-Unsubscribe': { prepared: true, value: unsubscribe } }),
    },
    newline: '\r\n',
    disableFileAccess: true,
    disableUrlAccess: true,
  });
  return composer.compile().build();
}
