import { InternalAuthServiceService, type Revocation, type WatchRevocationsResponse } from '#contract/auth/v1/auth';
import { createMetrics, type Metrics } from '#libs/runtime';
import { bind, createClient } from '../src/index.ts';
import { identityOf, recordingLogger, startTestServer, type LogLine } from './cluster.ts';

export const inTenMinutes = (): Date => new Date(Date.now() + 600_000);
export const ofSession = (sessionId: string, expireTime = inTenMinutes()): Revocation => ({ target: { $case: 'sessionId', value: sessionId }, expireTime });
export const ofAccount = (accountId: string, notBefore: Date, expireTime = inTenMinutes()): Revocation => ({
  target: { $case: 'subject', value: { accountId, notBefore } },
  expireTime,
});

type Message = Partial<WatchRevocationsResponse>;

/** What one follower is told; messages that are sent before it comes wait for it. */
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
  const waiting: (Message | { end: Error | undefined })[] = [];
  const left = Promise.withResolvers<void>();
  let wake: () => void = () => undefined;
  const push = (entry: Message | { end: Error | undefined }): void => {
    waiting.push(entry);
    wake();
  };
  async function* read(signal: AbortSignal): AsyncGenerator<WatchRevocationsResponse, void> {
    signal.addEventListener('abort', () => wake());
    try {
      while (!signal.aborted) {
        const entry = waiting.shift();
        if (entry === undefined) await new Promise<void>((resolve) => (wake = resolve));
        else if (!('end' in entry)) yield { revocations: [], snapshotComplete: false, ...entry };
        else if (entry.end === undefined) return;
        else throw entry.end;
      }
    } finally {
      left.resolve();
    }
  }
  return { send: push, end: (error) => push({ end: error }), left: left.promise, read };
}

/** An auth of which a test decides what every connection of the follower is told. */
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

export interface WatchServer {
  address: string;
  lines: LogLine[];
  stop(): Promise<void>;
}

/** The same source behind a real server, as InternalAuthService. */
export async function serveSource(source: RevocationSource, port = 0): Promise<WatchServer> {
  const binding = bind(InternalAuthServiceService, { watchRevocations: (_request, call) => source.watch(call.signal) });
  const { server, address, lines } = await startTestServer({ service: 'auth', bindings: [binding], port });
  return { address, lines, stop: () => server.stop() };
}

export function openWatcher(address: string) {
  const { logger, lines } = recordingLogger();
  const metrics: Metrics = createMetrics('tasks');
  return { ...createClient(InternalAuthServiceService, { callee: 'auth', address, identity: identityOf('tasks'), logger, metrics }), lines, metrics };
}
