import { tracingChannel } from 'node:diagnostics_channel';
import type { ActiveSpan } from './span.ts';
import { failureOf, startSpan } from './tracing.ts';

/** What ioredis publishes about a command. Its arguments are there too and stay unread. */
interface RedisCommand {
  command: string;
  error?: unknown;
}

/**
 * Makes a span for every Redis command that a recorded call waits for, whichever library sent it. ioredis publishes its
 * commands on a diagnostics channel, and does no work for that while nobody listens. Returns the function that ends it.
 */
export function traceRedis(): () => void {
  const spans = new WeakMap<object, ActiveSpan>();
  const listeners = {
    start: (message: object) => {
      const { command } = message as RedisCommand;
      const name = command.toUpperCase();
      const span = startSpan({
        name,
        kind: 'client',
        attributes: { 'db.system.name': 'redis', 'db.operation.name': name },
      });
      if (span !== undefined) spans.set(message, span);
    },
    end: () => undefined,
    asyncStart: () => undefined,
    asyncEnd: (message: object) => {
      const { error } = message as RedisCommand;
      spans.get(message)?.end(error === undefined ? undefined : failureOf(error));
    },
    error: () => undefined,
  };
  const channel = tracingChannel('ioredis:command');
  channel.subscribe(listeners);
  return () => channel.unsubscribe(listeners);
}
