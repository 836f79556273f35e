import type { Logger } from './logger.ts';
import { settlesWithin } from './time-limit.ts';

/** Something that runs and must be stopped: a server, a loop, a pool. */
export interface Part {
  name: string;
  stop: () => Promise<void>;
}

/**
 * Collects what was started, in order. `stop` stops it in reverse order, each part within `graceMs`, so that a hanging
 * part does not keep the others running.
 */
export function createParts(options: { logger: Logger; graceMs: number }): {
  add(part: Part): void;
  stop(): Promise<void>;
} {
  const parts: Part[] = [];
  return {
    add: (part) => void parts.push(part),
    stop: async () => {
      for (const part of parts.splice(0).reverse()) await stopPart(part, options);
    },
  };
}

async function stopPart(part: Part, { logger, graceMs }: { logger: Logger; graceMs: number }): Promise<void> {
  try {
    const stopped = part.stop();
    if (!(await settlesWithin(stopped, graceMs))) throw new Error(`${part.name} did not stop within ${graceMs} ms`);
    await stopped;
  } catch (error) {
    logger.warn({ err: error, part: part.name }, 'part did not stop cleanly');
  }
}
