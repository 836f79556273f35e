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
export function createEventSignal({ url, channel, logger }: EventSignalOptions): EventSignal {
  const waiting = new Set<() => void>();
  const stopped = new AbortController();
  const wakeAll = (): void => {
    for (const wake of [...waiting]) wake();
  };

  async function listenOnce(): Promise<void> {
    const client = new Client({
      connectionString: url,
      application_name: `listen ${channel}`,
      connectionTimeoutMillis: 3000,
      keepAlive: true,
      keepAliveInitialDelayMillis: 10_000,
    });
    const lost = new Promise<void>((resolve) => {
      client.on('error', () => resolve()).on('end', resolve);
      stopped.signal.addEventListener('abort', () => resolve(), { once: true });
    });
    client.on('notification', wakeAll);
    try {
      await client.connect();
      await client.query(`listen ${client.escapeIdentifier(channel)}`);
      // Announcements may have passed while nobody listened.
      wakeAll();
      await lost;
    } finally {
      await client.end().catch(() => undefined);
    }
  }

  async function keepListening(): Promise<void> {
    let reconnectMs = firstReconnectMs;
    while (!stopped.signal.aborted) {
      const started = Date.now();
      await listenOnce().catch(() => undefined);
      if (stopped.signal.aborted) return;
      logger.warn({ channel }, 'connection for event announcements lost');
      reconnectMs = Date.now() - started > lastReconnectMs ? firstReconnectMs : Math.min(lastReconnectMs, reconnectMs * 2);
      await sleep(reconnectMs * (0.5 + Math.random() / 2), stopped.signal);
    }
  }

  const ended = keepListening();
  return {
    wait: async (maxMs, signal) => {
      if (signal.aborted || stopped.signal.aborted) return;
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
