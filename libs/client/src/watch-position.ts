import type { SeenSequence } from './sequence-check.ts';

/** Where a watch goes on. */
export interface WatchPosition {
  resumeToken: string;
  seen: SeenSequence | undefined;
}

/** As a text that programs can keep. */
export function writePosition({ resumeToken, seen }: WatchPosition): string {
  const numbers = seen && {
    streamId: seen.streamId,
    last: `${seen.last}`,
    missing: [...seen.missing.keys()].map(String),
  };
  return JSON.stringify({ resumeToken, ...numbers });
}

interface Written {
  resumeToken?: unknown;
  streamId?: string;
  last?: string;
  missing?: string[];
}

/** Throws TypeError for anything else than a position. */
export function readPosition(position: string): WatchPosition {
  try {
    const { resumeToken, streamId, last = '', missing = [] } = JSON.parse(position) as Written;
    if (typeof resumeToken !== 'string') throw new TypeError('no token');
    const since = performance.now();
    const seen =
      streamId === undefined
        ? undefined
        : { streamId, last: BigInt(last), missing: new Map(missing.map((one) => [BigInt(one), since])) };
    return { resumeToken, seen };
  } catch (cause) {
    throw new TypeError('position: is not one that watchTasks gave', { cause });
  }
}
