import { createWriteStream } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

/** "-" is the standard output. A file gets its name when it is complete, because a truncated one would look complete. */
export async function writeFile(file: string, text: AsyncIterable<string>): Promise<void> {
  if (file === '-') return pipeline(Readable.from(text, { objectMode: false }), process.stdout, { end: false });
  const unfinished = `${file}.part`;
  try {
    await pipeline(Readable.from(text, { objectMode: false }), createWriteStream(unfinished, { mode: 0o600 }));
    await rename(unfinished, file);
  } catch (error) {
    await rm(unfinished, { force: true });
    throw error;
  }
}
