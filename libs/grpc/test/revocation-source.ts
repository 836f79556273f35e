import { addAbortSignal, PassThrough } from 'node:stream';
import { InternalAuthServiceService, type Revocation, type WatchRevocationsResponse } from '#contract/auth/v1/auth';
import { AppError } from '#libs/errors';
import { createMetrics } from '#libs/runtime';
import { bind, createClient } from '../src/index.ts';
import { identityOf, recordingLogger, startTestServer } from './cluster.ts';

const inTenMinutes = (): Date => new Date(Date.now() + 600_000);
export const ofSession = (sessionId: string, expireTime = inTenMinutes()): Revocation => ({
  target: { $case: 'sessionId', value: sessionId },
  expireTime,
});
export const ofAccount = (accountId: string, notBefore: Date, expireTime = inTenMinutes()): Revocation => ({
  target: { $case: 'subject', value: { accountId, notBeforeTime: notBefore } },
  expireTime,
});

type Message = Partial<WatchRevocationsResponse>;

/** One connection of a follower. Messages wait for the follower. */
export interface Channel {
  send(message: Message): void;
  /** Ends the stream, or breaks it with an error. */
  end(error?: Error): void;
  /** Resolves when the follower has gone. */
  left: Promise<void>;
}

interface Queue extends Channel {
  read(signal: AbortSignal): AsyncIterable<WatchRevocationsResponse>;
}

function createChannel(): Queue {
  const waiting = new PassThrough({ objectMode: true });
  const left = Promise.withResolvers<void>();
  async function* read(signal: AbortSignal): AsyncGenerator<WatchRevocationsResponse, void> {
    try {
      for await (const entry of addAbortSignal(signal, waiting) as AsyncIterable<Message | Error>) {
        if (entry instanceof Error) throw entry;
        yield { revocations: [], snapshotComplete: false, ...entry };
      }
    } catch (error) {
      if (!signal.aborted) throw error;
    } finally {
      left.resolve();
    }
  }
  const end = (error?: Error): void => void (error === undefined ? waiting.end() : waiting.write(error));
  return { send: (message) => void waiting.write(message), end, left: left.promise, read };
}

/** An auth service whose messages to each connection are chosen by the test. */
export interface RevocationSource {
  watch(signal: AbortSignal): AsyncIterable<WatchRevocationsResponse>;
  /** The follower's next connection, already made or not yet. */
  connection(): Promise<Channel>;
}

export function createSource(): RevocationSource {
  const made: Queue[] = [];
  const wanted: ((channel: Channel) => void)[] = [];
  return {
    watch: (signal) => {
      const channel = createChannel();
      const taker = wanted.shift();
      if (taker === undefined) made.push(channel);
      else taker(channel);
      return channel.read(signal);
    },
    connection: async () => made.shift() ?? new Promise<Channel>((resolve) => wanted.push(resolve)),
  };
}

/** The other methods of the service, which knows no mails, tokens and invitations here. */
export const knowsNothing = {
  getMail: async (): Promise<never> => {
    throw new AppError('not_found', 'MAIL_NOT_FOUND', 'this server has no mails');
  },
  checkPersonalToken: async () => ({}),
  mailProjectInvitation: async () => ({}),
  batchGetInvitees: async () => ({ invitees: [] }),
};

/** The same source behind a real server, as InternalAuthService. */
export async function serveSource(source: RevocationSource, port = 0) {
  const binding = bind(InternalAuthServiceService, {
    watchRevocations: (_request, call) => source.watch(call.signal),
    ...knowsNothing,
  });
  const { server, address, lines } = await startTestServer({ service: 'auth', bindings: [binding], port });
  return { address, lines, stop: () => server.stop() };
}

export function openWatcher(address: string) {
  const { logger, lines } = recordingLogger();
  const metrics = createMetrics('tasks');
  const options = { callee: 'auth', address, identity: identityOf('tasks'), logger, metrics } as const;
  return { ...createClient(InternalAuthServiceService, options), lines, metrics };
}
