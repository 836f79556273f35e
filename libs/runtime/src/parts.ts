import type { Logger } from './logger.ts';

/** Something that runs and must be ended: a server, a loop, a pool. */
export interface Part {
  name: string;
  stop: () => Promise<void>;
}

/**
 * Collects what has been started, in order; `stop` ends it in reverse order, each part within `graceMs`, so that a part
 * which hangs cannot keep the others from ending.
 */
export function createParts(options: { logger: Logger; graceMs: number }): { add(part: Part): void; stop(): Promise<void> } {
  const parts: Part[] = [];
  return {
    add: (part) => void parts.push(part),
    stop: async () => {
      for (const part of parts.splice(0).reverse()) await stopPart(part, options);
    },
  };
}

async function stopPart(part: Part, { logger, graceMs }: { logger: Logger; graceMs: number }): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${part.name} did not stop within ${graceMs} ms`)), graceMs);
  });
  try {
    await Promise.race([part.stop(), timeout]);
  } catch (error) {
    logger.warn({ err: error, part: part.name }, 'part did not stop cleanly');
  } finally {
    clearTimeout(timer);
  }
}
