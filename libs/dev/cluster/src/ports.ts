import { randomInt } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';

/** Whether nothing listens on the port, on the given address. */
export async function isPortFree(port: number, host = '127.0.0.1'): Promise<boolean> {
  const server = createServer();
  return new Promise((resolve) => {
    server.once('error', () => resolve(false));
    server.listen({ port, host, exclusive: true }, () => server.close(() => resolve(true)));
  });
}

/**
 * Takes the port for this test run, whose test files choose at the same time and listen much later, or start a service
 * again that was down for a while. false: it was taken before.
 */
function reserve(port: number): boolean {
  const testDir = process.env['TASKFLOW_TEST_DIR'];
  if (testDir === undefined) return true;
  const folder = join(testDir, 'ports');
  mkdirSync(folder, { recursive: true });
  try {
    writeFileSync(join(folder, String(port)), '', { flag: 'wx' });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

/**
 * A port that is free now and likely still is a moment later, and that nobody else in this test run gets: chosen at random below the range from which the system
 * takes the local ports of outgoing connections (32768 and up on Linux, 49152 and up elsewhere).
 */
export async function findFreePort(taken: ReadonlySet<number> = new Set()): Promise<number> {
  for (let attempt = 0; attempt < 200; attempt += 1) {
    const port = randomInt(10_000, 32_000);
    if (!taken.has(port) && (await isPortFree(port)) && (await isPortFree(port, '0.0.0.0')) && reserve(port))
      return port;
  }
  throw new Error('no free port between 10000 and 32000 was found');
}
