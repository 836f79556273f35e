import { readFileSync } from 'node:fs';
import { open } from 'node:fs/promises';

/** What the client knows of one task after an acknowledged write. */
export interface KnownTask {
  title: string;
  description: string;
  status: string;
  assigneeId: string;
  /** ISO, or empty. */
  dueTime: string;
  deleted: boolean;
}

/** One line of the record. */
export type Entry =
  /** The write was acknowledged, and this is what it answered. */
  | { what: 'acknowledged'; worker: number; userId: string; taskId: string; requestId: string; known: KnownTask }
  /** The client gave up: the task may be there with this title, once, or not at all. */
  | { what: 'abandoned'; worker: number; userId: string; title: string }
  /** The server refused: no task with this title may ever be there. */
  | { what: 'refused'; worker: number; userId: string; title: string }
  /** An account that must be able to sign in. */
  | { what: 'registered'; worker: number; userId: string; email: string; password: string };

export interface Recorder {
  readonly file: string;
  /** Resolves when the line is on the disk. */
  write(entry: Entry): Promise<void>;
  close(): Promise<void>;
}

/** Every line is followed by an fsync of its own: what it says would outlive a power cut of the client. */
export async function openRecorder(file: string): Promise<Recorder> {
  const handle = await open(file, 'ax', 0o600);
  let tail = Promise.resolve();
  const writeLine = async (line: string): Promise<void> => {
    await handle.appendFile(line);
    await handle.datasync();
  };
  return {
    file,
    write: (entry) => (tail = tail.then(() => writeLine(`${JSON.stringify(entry)}\n`))),
    close: async () => {
      await tail;
      await handle.close();
    },
  };
}

export function readRecord(file: string): Entry[] {
  const lines = readFileSync(file, 'utf8').split('\n');
  return lines.filter((line) => line !== '').map((line) => JSON.parse(line) as Entry);
}
