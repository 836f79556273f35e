import type { FileEntry, FileSource, ReadOptions } from './file-task.ts';

type Reader = (source: FileSource, options: ReadOptions) => AsyncIterable<FileEntry>;

/** Reports entries that repeat an id. The service would take them for tasks that exist and drop them silently. */
export function nameRepeated(read: Reader): Reader {
  return async function* (source, options) {
    const seen = new Set<string>();
    for await (const entry of read(source, options)) {
      if ('task' in entry && seen.has(entry.task.externalId))
        yield { skipped: { place: entry.task.place, problem: 'the same id stands in the file before' } };
      else yield entry;
      if ('task' in entry) seen.add(entry.task.externalId);
    }
  };
}
