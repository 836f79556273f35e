import { constants as files, createWriteStream, openSync, rmSync } from 'node:fs';
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
  const fd = create(unfinished);
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

/**
 * At once, so that nothing can make it after it was removed. In a folder of several people its name could be a link to
 * a file of one's own, so only a new file is opened.
 */
function create(file: string): number {
  rmSync(file, { force: true });
  return openSync(file, files.O_WRONLY | files.O_CREAT | files.O_EXCL | files.O_NOFOLLOW, 0o600);
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
