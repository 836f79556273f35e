import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { waitUntil } from '#dev/cluster';

/** The clock of one process, which a test may step while the process runs. */
export interface SteppedClock {
  /** For the environment of the process. */
  env: Record<string, string>;
  /** From now on the process believes that it is so much later; resolves when it does. */
  step(byMs: number): Promise<void>;
}

export function createSteppedClock(byMs = 0): SteppedClock {
  const file = join(mkdtempSync(join(process.env['TASKFLOW_TEST_DIR'] ?? tmpdir(), 'clock-')), 'shift');
  writeFileSync(file, String(byMs));
  return {
    env: {
      NODE_OPTIONS: `--import=${fileURLToPath(new URL('stepped-clock.mjs', import.meta.url))}`,
      TASKFLOW_TEST_CLOCK_FILE: file,
    },
    step: async (shiftMs) => {
      writeFileSync(file, String(shiftMs));
      await waitUntil(async () => readFileSync(`${file}.seen`, 'utf8') === String(shiftMs));
    },
  };
}
