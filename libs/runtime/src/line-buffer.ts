/** Takes text and writes it. */
export interface LineTarget {
  write(text: string): void;
}

/** Where a logger writes: one complete line at a time, with pino's data about each line. */
export interface LineBuffer extends LineTarget {
  lastLevel: number;
  lastObj: object;
  /** Writes the held lines at once. */
  flush(): void;
}

// At a thousand calls a second one write takes twenty lines. In a quiet service a line is late by at most this.
const holdMs = 20;
const holdCharacters = 16 * 1024;
const warnLevel = 40;

/**
 * Collects lines, so that a busy service does not pay a system call per answered call. Warnings, errors and audit lines
 * go out at once, with all lines held before them.
 */
export function createLineBuffer(target: LineTarget): LineBuffer {
  let held = '';
  let timer: NodeJS.Timeout | undefined;
  const buffer: LineBuffer & Record<symbol, unknown> = {
    // Makes pino set the two properties below before each line.
    [Symbol.for('pino.metadata')]: true,
    lastLevel: 0,
    lastObj: {},
    write: (line) => {
      held += line;
      if (buffer.lastLevel >= warnLevel || held.length >= holdCharacters || 'audit' in buffer.lastObj)
        return buffer.flush();
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
