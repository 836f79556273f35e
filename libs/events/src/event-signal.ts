import { Client } from 'pg';
import type { Credentials } from '#libs/db';
import { backoffMs, sleep, type Logger } from '#libs/runtime';
import { ownEventsOnly } from './announcement.ts';

/**
 * Wakes readers when events were committed, in this process or another. Signals may be lost: look again after maxMs.
 */
export interface EventSignal {
  /**
   * Resolves at the next announcement, after `maxMs`, when the signal fires, or when stopped; says whether it was
   * announced. Waiting for `others` sleeps on when no announced event concerns others than its actor. Never rejects.
   */
  wait(maxMs: number, signal: AbortSignal, wanted?: WantedEvents): Promise<boolean>;
  stop(): Promise<void>;
}

/** Which announcements wake: all, or those of events that concern others than their actors. */
export type WantedEvents = 'all' | 'others';

export interface EventSignalOptions {
  credentials: Credentials;
  channel: string;
  logger: Logger;
}

const reconnect = { firstMs: 250, maxMs: 5000 };

/** Listens on a connection of its own and restores it for as long as that takes. */
export function createEventSignal(options: EventSignalOptions): EventSignal {
  const waiting = new Map<() => void, WantedEvents>();
  const stopped = new AbortController();
  const wakeAll: Wake = (concernsOthers) => {
    for (const [wake, wanted] of [...waiting]) if (concernsOthers || wanted === 'all') wake();
  };
  const ended = keepListening(options, stopped.signal, wakeAll);
  return {
    wait: async (maxMs, signal, wanted = 'all') => {
      if (stopped.signal.aborted) return false;
      const woken = new AbortController();
      const wake = (): void => woken.abort();
      waiting.set(wake, wanted);
      try {
        await sleep(maxMs, AbortSignal.any([woken.signal, signal]));
      } finally {
        waiting.delete(wake);
      }
      return woken.signal.aborted;
    },
    stop: async () => {
      stopped.abort();
      wakeAll(true);
      await ended;
    },
  };
}

type Wake = (concernsOthers: boolean) => void;

async function keepListening(options: EventSignalOptions, stopped: AbortSignal, wakeAll: Wake): Promise<void> {
  let failures = 0;
  while (!stopped.aborted) {
    const started = performance.now();
    // Uses the next password when the server refused one.
    await options.credentials.connect(() => listen(options, stopped, wakeAll)).catch(() => undefined);
    if (stopped.aborted) return;
    options.logger.warn({ channel: options.channel }, 'connection for event announcements lost');
    failures = performance.now() - started > reconnect.maxMs ? 1 : failures + 1;
    await sleep(backoffMs(reconnect, failures), stopped);
  }
}

async function listen(
  { credentials, channel }: EventSignalOptions,
  stopped: AbortSignal,
  wakeAll: Wake,
): Promise<void> {
  const client = new Client({
    ...credentials.options,
    application_name: `listen ${channel}`,
    connectionTimeoutMillis: 3000,
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
  });
  const closed = new Promise<void>((resolve) => client.on('error', () => resolve()).on('end', resolve));
  const end = (): void => void client.end().catch(() => undefined);
  client.on('notification', ({ payload }) => wakeAll(payload !== ownEventsOnly));
  stopped.addEventListener('abort', end, { once: true });
  try {
    await client.connect();
    await client.query(`listen ${client.escapeIdentifier(channel)}`);
    // Announcements may have passed while nobody listened.
    wakeAll(true);
    await closed;
  } finally {
    stopped.removeEventListener('abort', end);
    await client.end().catch(() => undefined);
  }
}
