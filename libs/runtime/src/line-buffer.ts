/** Takes text and writes it. */
export interface LineTarget {
  write(text: string): void;
}

/** Where a logger writes: one complete line at a time, and about each line what pino knows of it. */
export interface LineBuffer extends LineTarget {
  lastLevel: number;
  lastObj: object;
  /** Writes what is held back, at once. */
  flush(): void;
}

// At a thousand calls a second a write takes twenty lines with it; in a quiet service a line is late by this at most.
const holdMs = 20;
const holdCharacters = 16 * 1024;
const warnLevel = 40;

/**
 * Collects lines, so that a busy service does not pay for a system call with every call that it answers. What a person may
 * have to act on (warnings and errors) and what must not be lost (audit) goes out at once, with all that was held before it.
 */
export function createLineBuffer(target: LineTarget): LineBuffer {
  let held = '';
  let timer: NodeJS.Timeout | undefined;
  const buffer: LineBuffer & Record<symbol, unknown> = {
    // Makes pino set the two below before each line.
    [Symbol.for('pino.metadata')]: true,
    lastLevel: 0,
    lastObj: {},
    write: (line) => {
      held += line;
      if (buffer.lastLevel >= warnLevel || held.length >= holdCharacters || 'audit' in buffer.lastObj) return buffer.flush();
      timer ??= setTimeout(buffer.flush, holdMs).unref();
    },
    flush: () => {
      clearTimeout(timer);
      timer = undefined;
      if (held === '') return;
      const text = held;
      held = '';
      target.write(text);
    },
  };
  return buffer;
}
