import type { AddressInfo } from 'node:net';
import { simpleParser, type ParsedMail } from 'mailparser';
import { SMTPServer, type SMTPServerDataStream, type SMTPServerOptions, type SMTPServerSession } from 'smtp-server';
import { waitUntil } from '#dev/cluster';
import { makeSelfSigned, type SelfSigned } from './self-signed.ts';

/** A mail as its recipient's mail program reads it. */
export interface ReceivedMail {
  messageId: string;
  /** Of the envelope. */
  recipients: string[];
  from: string;
  to: string;
  subject: string;
  text: string;
  html: string;
  headers: ParsedMail['headers'];
  /** As it came over the wire. */
  raw: string;
}

/** A refusal: the code and text that the server answers. */
export interface Refusal {
  code: number;
  text: string;
}

/** What the server does; the default accepts everything. */
export interface MailServerBehaviour {
  /** For each RCPT TO; `count` is how often this address has come, this time included. */
  onRecipient?: (address: string, count: number) => Refusal | undefined;
  /** When the end of a message has come: it is accepted when this resolves with nothing. */
  onMessage?: (mail: ReceivedMail) => Promise<Refusal | undefined> | Refusal | undefined;
  /** While the message is coming: resolves when the server begins to read it. */
  beforeMessage?: () => Promise<void>;
}

export interface TestMailServerOptions {
  /** `starttls` offers it and `tls` begins with it, with `authority`; `none` knows no TLS. Default: starttls. */
  security?: 'none' | 'starttls' | 'tls';
  /** Who may send; without it anybody may. */
  credentials?: { user: string; password: string };
  /** Default: any free one. */
  port?: number;
}

/** A real mail server in the process of a test. */
export interface TestMailServer {
  port: number;
  /** For a client, with the credentials in it. */
  url: string;
  /** The certificate that the server's is signed with, in PEM. */
  authority: string;
  /** What was accepted. */
  accepted: ReceivedMail[];
  /** Every message whose end has come, accepted or not. */
  ended: ReceivedMail[];
  behave(behaviour: MailServerBehaviour): void;
  /** The first accepted mail that fits, as soon as it is there. */
  waitForMail(fits: (mail: ReceivedMail) => boolean): Promise<ReceivedMail>;
  /** Ends all connections, also in the middle of a message. */
  stop(): Promise<void>;
  /** Listens again after `stop`, on the same port. */
  restart(): Promise<void>;
}

const textOf = (address: ParsedMail['to']): string =>
  [address ?? []]
    .flat()
    .map(({ text }) => text)
    .join(', ');

async function receive(stream: SMTPServerDataStream, { envelope }: SMTPServerSession): Promise<ReceivedMail> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  const raw = Buffer.concat(chunks);
  const parsed = await simpleParser(raw);
  return {
    messageId: parsed.messageId ?? '',
    recipients: envelope.rcptTo.map(({ address }) => address),
    from: parsed.from?.text ?? '',
    to: textOf(parsed.to),
    subject: parsed.subject ?? '',
    text: parsed.text ?? '',
    html: parsed.html || '',
    headers: parsed.headers,
    raw: raw.toString(),
  };
}

const toError = ({ code, text }: Refusal): Error => Object.assign(new Error(text), { responseCode: code });

interface State {
  behaviour: MailServerBehaviour;
  accepted: ReceivedMail[];
  ended: ReceivedMail[];
  counts: Map<string, number>;
}

/** Accepts the message unless the behaviour refuses it. */
async function takeMessage(state: State, stream: SMTPServerDataStream, session: SMTPServerSession): Promise<void> {
  await state.behaviour.beforeMessage?.();
  const mail = await receive(stream, session);
  state.ended.push(mail);
  const refusal = await state.behaviour.onMessage?.(mail);
  if (refusal !== undefined) throw toError(refusal);
  state.accepted.push(mail);
}

function handlers(state: State, credentials: TestMailServerOptions['credentials']): SMTPServerOptions {
  return {
    onAuth: ({ username, password }, _session, callback) =>
      username === credentials?.user && password === credentials?.password
        ? callback(null, { user: username })
        : callback(toError({ code: 535, text: 'wrong credentials' })),
    onRcptTo: ({ address }, _session, callback) => {
      const count = (state.counts.get(address) ?? 0) + 1;
      state.counts.set(address, count);
      const refusal = state.behaviour.onRecipient?.(address, count);
      callback(refusal === undefined ? null : toError(refusal));
    },
    onData: (stream, session, callback) =>
      void takeMessage(state, stream, session).then(
        () => callback(null),
        (error: Error) => callback(error),
      ),
  };
}

const withUser = ({ user, password }: { user: string; password: string }): string =>
  `${encodeURIComponent(user)}:${encodeURIComponent(password)}@`;

function createServer(state: State, options: TestMailServerOptions, { certificate, key }: SelfSigned): SMTPServer {
  const { security = 'starttls', credentials } = options;
  const server = new SMTPServer({
    ...handlers(state, credentials),
    key,
    cert: certificate,
    secure: security === 'tls',
    hideSTARTTLS: security === 'none',
    authOptional: credentials === undefined,
    disabledCommands: [...(security === 'none' ? ['STARTTLS'] : []), ...(credentials === undefined ? ['AUTH'] : [])],
    disableReverseLookup: true,
    closeTimeout: 1,
  });
  // A client that goes away in the middle is what some tests are about.
  server.on('error', () => undefined);
  return server;
}

async function listen(server: SMTPServer, wanted: number): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.server.once('error', reject);
  server.listen(wanted, '127.0.0.1', resolve);
  await promise;
  return (server.server.address() as AddressInfo).port;
}

export async function startMailServer(options: TestMailServerOptions = {}): Promise<TestMailServer> {
  const { security = 'starttls', credentials } = options;
  const signed = makeSelfSigned();
  const state: State = { behaviour: {}, accepted: [], ended: [], counts: new Map() };
  let server = createServer(state, options, signed);
  const port = await listen(server, options.port ?? 0);
  const user = credentials === undefined ? '' : withUser(credentials);
  return {
    port,
    url: `${security === 'tls' ? 'smtps' : 'smtp'}://${user}127.0.0.1:${port}`,
    authority: signed.certificate,
    accepted: state.accepted,
    ended: state.ended,
    behave: (behaviour) => void (state.behaviour = behaviour),
    waitForMail: async (fits) => {
      const mail = await waitUntil(
        () => state.accepted.find(fits),
        (found) => found !== undefined,
      );
      return mail as ReceivedMail;
    },
    stop: () => new Promise((resolve) => server.close(() => resolve())),
    restart: async () => {
      // Somebody's outgoing connection may have got the port for a moment.
      await waitUntil(async () => {
        server = createServer(state, options, signed);
        return listen(server, port).catch(() => 0);
      });
    },
  };
}
