import { createWriteStream, openSync, rmSync } from 'node:fs';
import { rename } from 'node:fs/promises';
import { constants } from 'node:os';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

/** "-" is the standard output. A file gets its name when it is complete, because a truncated one would look complete. */
export async function writeFile(file: string, text: AsyncIterable<string>, signal?: AbortSignal): Promise<void> {
  if (file === '-')
    return pipeline(Readable.from(text, { objectMode: false }), process.stdout, {
      end: false,
      ...(signal && { signal }),
    });
  const unfinished = `${file}.part`;
  // At once, so that nothing can make it after it was removed.
  const fd = openSync(unfinished, 'w', 0o600);
  const keep = removeAtExit(unfinished);
  try {
    await pipeline(Readable.from(text, { objectMode: false }), createWriteStream(unfinished, { fd }), {
      ...(signal && { signal }),
    });
    await rename(unfinished, file);
  } catch (error) {
    rmSync(unfinished, { force: true });
    throw error;
  } finally {
    keep();
  }
}

const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** Removes the file when the process ends, also by a signal. Returns what takes that back. */
function removeAtExit(file: string): () => void {
  const remove = (): void => rmSync(file, { force: true });
  const end = (signal: (typeof signals)[number]): void => process.exit(128 + constants.signals[signal]);
  process.once('exit', remove);
  for (const signal of signals) process.once(signal, end);
  return () => {
    process.off('exit', remove);
    for (const signal of signals) process.off(signal, end);
  };
}
