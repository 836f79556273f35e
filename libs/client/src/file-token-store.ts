import { randomUUID } from 'node:crypto';
import { mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { parseTokens, type TokenStore } from './token-store.ts';

/** The file has its new content at once or not at all. Only its owner may read it. */
async function replaceFile(file: string, text: string): Promise<void> {
  const unfinished = `${file}.${randomUUID()}`;
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  try {
    const handle = await open(unfinished, 'wx', 0o600);
    try {
      await handle.writeFile(text);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(unfinished, file);
  } catch (error) {
    await rm(unfinished, { force: true });
    throw error;
  }
}

const isMissing = (error: unknown): boolean => (error as NodeJS.ErrnoException).code === 'ENOENT';

/** In a file that only its owner may read (0600). Several programs may use it at once. */
export function fileTokenStore(file: string): TokenStore {
  return {
    read: async () => {
      try {
        return parseTokens(await readFile(file, 'utf8'));
      } catch (error) {
        if (isMissing(error)) return undefined;
        throw error;
      }
    },
    write: (tokens) => replaceFile(file, `${JSON.stringify(tokens)}\n`),
    clear: () => rm(file, { force: true }),
  };
}
