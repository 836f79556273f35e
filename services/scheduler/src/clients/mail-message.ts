import MailComposer from 'nodemailer/lib/mail-composer';
import type { OutgoingMail } from '../domain/mails/mail-sender.ts';

/** Who sends. */
export interface Sender {
  name: string;
  address: string;
}

/** In one piece as a program shows it, also to somebody who opens the bytes in an editor. */
function readableParts({ text, html }: OutgoingMail) {
  // The library encodes everything but what is given with its headers.
  const part = (type: string, content: string) => ({
    contentType: type,
    raw: `Content-Type: ${type}; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\n${content}`,
  });
  return { alternatives: [part('text/plain', text), part('text/html', html)] };
}

/**
 * A text as it may stand in a header. A program that reads it takes what begins with "=?" for encoded (RFC 2047), and
 * would show what nobody sees before. A word joiner in between is invisible.
 */
const headerText = (text: string): string => text.replaceAll('=?', '=\u2060?');

/**
 * The bytes of a mail as they go over the wire, without the end of the message. `readable`: for a file instead, with lines as
 * long as they are; servers take no such lines.
 */
export function composeMail(mail: OutgoingMail, sender: Sender, { readable = false } = {}): Promise<Buffer> {
  const domain = sender.address.slice(sender.address.lastIndexOf('@') + 1);
  const unsubscribe = mail.unsubscribe.map((uri) => `<${uri}>`).join(', ');
  const composer = new MailComposer({
    from: sender,
    to: { ...mail.to, name: headerText(mail.to.name) },
    subject: headerText(mail.subject),
    messageId: `<${mail.id}@${domain}>`,
    ...(readable ? readableParts(mail) : { text: mail.text, html: mail.html }),
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
