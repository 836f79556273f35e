import { Client } from 'pg';
import type { Logger } from '#libs/runtime';

/** Wakes readers when events were committed, in this process or another. Signals may be lost: look again after maxMs. */
export interface EventSignal {
  /** Resolves at the next announcement, after `maxMs`, when the signal fires, or when stopped. Never rejects. */
  wait(maxMs: number, signal: AbortSignal): Promise<void>;
  stop(): Promise<void>;
}

export interface EventSignalOptions {
  url: string;
  channel: string;
  logger: Logger;
}

const firstReconnectMs = 250;
const lastReconnectMs = 5000;

/** Holds one connection of its own that listens, and restores it for as long as it takes. */
export function createEventSignal(options: EventSignalOptions): EventSignal {
  const waiting = new Set<() => void>();
  const stopped = new AbortController();
  const wakeAll = (): void => {
    for (const wake of [...waiting]) wake();
  };
  const ended = keepListening(options, stopped.signal, wakeAll);
  return {
    wait: async (maxMs, signal) => {
      if (stopped.signal.aborted) return;
      const woken = new AbortController();
      const wake = (): void => woken.abort();
      waiting.add(wake);
      try {
        await sleep(maxMs, AbortSignal.any([woken.signal, signal]));
      } finally {
        waiting.delete(wake);
      }
    },
    stop: async () => {
      stopped.abort();
      wakeAll();
      await ended;
    },
  };
}

async function keepListening(options: EventSignalOptions, stopped: AbortSignal, wakeAll: () => void): Promise<void> {
  let reconnectMs = firstReconnectMs;
  while (!stopped.aborted) {
    const started = Date.now();
    await listenOnce(options, stopped, wakeAll).catch(() => undefined);
    if (stopped.aborted) return;
    options.logger.warn({ channel: options.channel }, 'connection for event announcements lost');
    reconnectMs = Date.now() - started > lastReconnectMs ? firstReconnectMs : Math.min(lastReconnectMs, reconnectMs * 2);
    await sleep(reconnectMs * (0.5 + Math.random() / 2), stopped);
  }
}

async function listenOnce({ url, channel }: EventSignalOptions, stopped: AbortSignal, wakeAll: () => void): Promise<void> {
  const client = new Client({
    connectionString: url,
    application_name: `listen ${channel}`,
    connectionTimeoutMillis: 3000,
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
  });
  const closed = new Promise<void>((resolve) => client.on('error', () => resolve()).on('end', resolve));
  const end = (): void => void client.end().catch(() => undefined);
  client.on('notification', wakeAll);
  stopped.addEventListener('abort', end, { once: true });
  try {
    await client.connect();
    await client.query(`listen ${client.escapeIdentifier(channel)}`);
    // Announcements may have passed while nobody listened.
    wakeAll();
    await closed;
  } finally {
    stopped.removeEventListener('abort', end);
    await client.end().catch(() => undefined);
  }
}

/** Ends early, without an error, when the signal fires. */
function sleep(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const end = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    signal.addEventListener('abort', end);
  });
}
