/** A mail that is ready to be sent. */
export interface OutgoingMail {
  /** The first part of its Message-ID, the same in every attempt. */
  id: string;
  to: { name: string; address: string };
  subject: string;
  text: string;
  html: string;
  /** For the header List-Unsubscribe: URIs of which any one ends such mails; empty for mails that nobody subscribes to. */
  unsubscribe: readonly string[];
}

/**
 * What came of an attempt.
 * accepted: the server has taken the mail over.
 * refused: the server has said no to this mail; `isPermanent` when it would again.
 * unreachable: there was no server, or it had trouble of its own; it has not got the end of the message.
 * unknown: the server may have got the end of the message, and no answer arrived.
 */
export interface MailAnswer {
  outcome: 'accepted' | 'refused' | 'unreachable' | 'unknown';
  /** The server's reply code; undefined when it gave none. */
  code: number | undefined;
  /** For an administrator; without anything that the server has written, since that may name the recipient. */
  error: string;
  isPermanent: boolean;
}

export interface MailAttempt {
  /**
   * Called once all of the message but its end is with the server, which accepts nothing before the end. When it rejects, the
   * end is not written, and `send` rejects with the same error.
   */
  beforeEnd: () => Promise<void>;
  /** Ends the attempt. */
  signal: AbortSignal;
}

/** Hands mails to a mail server, or to a folder. */
export interface MailSender {
  send(mail: OutgoingMail, attempt: MailAttempt): Promise<MailAnswer>;
  close(): void;
}
