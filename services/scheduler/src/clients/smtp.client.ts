import { once } from 'node:events';
import { Readable } from 'node:stream';
import { assertNoOpenTransaction } from '#libs/runtime';
import { createTransport } from 'nodemailer';
import type SMTPPool from 'nodemailer/lib/smtp-pool';
import type { MailAnswer, MailAttempt, MailSender } from '../domain/mails/mail-sender.ts';
import { composeMail, type Sender } from './mail-message.ts';

export interface SmtpOptions {
  /** smtp: or smtps:, with the credentials in it. */
  url: string;
  /** Of a connection with smtp: whether it must become one with TLS, or does where the server can. */
  startTls: 'required' | 'optional' | 'off';
  /** Authorities in PEM, in place of the usual ones. */
  authority: string | undefined;
  /** How long the server may be silent. */
  timeoutMs: number;
  connections: number;
  sender: Sender;
}

/** Shorter than the patience of any server, so that mails do not meet connections that are being closed. */
const idleMs = 20_000;
/** A server that trickles its replies is never silent; this is less than the job has. */
const longestMs = 120_000;
const defaultPorts = { 'smtp:': 587, 'smtps:': 465 } as const;

function toTransportOptions({ url, startTls, authority, timeoutMs, connections }: SmtpOptions): SMTPPool.Options {
  const { protocol, hostname, port, username, password } = new URL(url);
  const user = decodeURIComponent(username);
  return {
    pool: true,
    host: hostname.replace(/^\[(.*)\]$/, '$1'),
    port: port === '' ? defaultPorts[protocol as 'smtp:'] : Number(port),
    secure: protocol === 'smtps:',
    requireTLS: protocol === 'smtp:' && startTls === 'required',
    ignoreTLS: startTls === 'off',
    ...(user !== '' && { auth: { user, pass: decodeURIComponent(password) } }),
    tls: { minVersion: 'TLSv1.2', ...(authority !== undefined && { ca: authority }) },
    maxConnections: connections,
    connectionTimeout: timeoutMs,
    greetingTimeout: timeoutMs,
    socketTimeout: timeoutMs,
    dnsTimeout: timeoutMs,
    idleTimeout: idleMs,
    // A mail that failed is tried again by its row in PostgreSQL, and by nobody else.
    maxRequeues: 0,
    disableFileAccess: true,
    disableUrlAccess: true,
    logger: false,
  } as SMTPPool.Options;
}

/** The message as a stream whose end waits for `beforeEnd`. */
function guardEnd(message: Buffer, beforeEnd: () => Promise<void>) {
  let asked: Promise<void> | undefined;
  async function* pieces(): AsyncGenerator<Buffer> {
    yield message;
    await (asked = beforeEnd());
  }
  const stream = Readable.from(pieces(), { objectMode: false });
  // The transport hears of errors by its own listener; one that comes after the transport has let go must not end the process.
  stream.on('error', () => undefined);
  return { stream, settled: async () => asked };
}

interface SmtpError {
  code?: string;
  responseCode?: number;
  permanent?: boolean;
}

const describeCode = (code: number | undefined, error: string): string =>
  code === undefined ? error : `the mail server answered ${code}`;

/** The server has answered to this mail, rather than to the connection or the sign-in. */
const isAboutMail = ({ code }: SmtpError): boolean => code === 'EENVELOPE' || code === 'EMESSAGE';

function toAnswer(error: SmtpError, endWritten: boolean): MailAnswer {
  const { code = 'no reason', responseCode } = error;
  if (isAboutMail(error) && responseCode !== 421 && (responseCode !== undefined || !endWritten)) {
    // Without a reply the fault is in the mail itself, such as an address that cannot be written.
    const isPermanent = responseCode === undefined || error.permanent === true;
    return {
      outcome: 'refused',
      code: responseCode,
      error: describeCode(responseCode, `not sent: ${code}`),
      isPermanent,
    };
  }
  const outcome = endWritten ? 'unknown' : 'unreachable';
  return { outcome, code: responseCode, error: describeCode(responseCode, `no answer: ${code}`), isPermanent: false };
}

/** Sends over a pool of connections to one mail server. */
export function createSmtpSender(options: SmtpOptions): MailSender {
  const transport = createTransport(toTransportOptions(options));
  // Errors of idle connections concern no mail.
  transport.on('error', () => undefined);
  return {
    send: async (mail, { beforeEnd, signal }: MailAttempt) => {
      assertNoOpenTransaction('a mail server');
      signal.throwIfAborted();
      const message = await composeMail(mail, options.sender);
      const { stream, settled } = guardEnd(message, beforeEnd);
      const ending = AbortSignal.any([signal, AbortSignal.timeout(longestMs)]);
      const envelope = { from: options.sender.address, to: [mail.to.address] };
      try {
        const { response } = await transport.sendMail({
          envelope,
          raw: stream,
          signal: ending,
        } as SMTPPool.MailOptions);
        return { outcome: 'accepted', code: Number(response.slice(0, 3)), error: '', isPermanent: false };
      } catch (error) {
        stream.destroy();
        if (!stream.closed) await once(stream, 'close');
        // Its own error comes first: the caller has to know that it could not guard the end.
        await settled();
        const answer = toAnswer(error as SmtpError, stream.readableEnded);
        if (answer.outcome === 'unreachable') signal.throwIfAborted();
        return answer;
      }
    },
    close: () => transport.close(),
  };
}
