import { execFile } from 'node:child_process';
import { expect, it } from '@jest/globals';

const serveModule = new URL('./serve.ts', import.meta.url).href;
const loggerModule = new URL('./logger.ts', import.meta.url).href;

/** A service that does this once it serves. */
function runService(
  misdeed: string,
): Promise<{ code: number | string | null | undefined; stdout: string; stderr: string }> {
  const program = `
    import { serve } from '${serveModule}';
    import { createLogger } from '${loggerModule}';
    const logger = createLogger({ service: 'tasks', level: 'info' });
    await serve({ service: 'tasks', readConfig: () => ({}), start: async () => {
      setInterval(() => undefined, 1000);
      setTimeout(() => { ${misdeed} }, 1);
      return { grpcPort: 1, httpPort: 2, logger, stop: async () => undefined };
    } });`;
  return new Promise((resolve) => {
    execFile(process.execPath, ['--input-type=module', '--eval', program], (error, stdout, stderr) =>
      resolve({ code: error?.code ?? 0, stdout, stderr }),
    );
  });
}

const linesOf = (text: string): Record<string, unknown>[] =>
  text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
const stopSoon = 'setTimeout(() => process.kill(process.pid, "SIGTERM"), 20);';

it('writes warnings of Node as lines of the log', async () => {
  const { code, stdout, stderr } = await runService(
    `clearTimeout(setTimeout(() => undefined, 2 ** 33)); process.emitWarning('look out', { code: 'TRIED' }); ${stopSoon}`,
  );
  expect([code, stderr]).toEqual([0, '']);
  expect(linesOf(stdout).filter(({ level }) => level === 'warn')).toMatchObject([
    { msg: 'warning of the runtime', err: { type: 'TimeoutOverflowWarning' } },
    { msg: 'warning of the runtime', err: { type: 'Warning', message: 'look out', code: 'TRIED' } },
  ]);
});

it('writes an exception that nobody caught as a line of the log, and exits 1', async () => {
  const { code, stdout, stderr } = await runService('throw new Error("nobody catches this");');
  expect([code, stderr]).toEqual([1, '']);
  expect(linesOf(stdout).at(-1)).toMatchObject({
    level: 'fatal',
    msg: 'uncaught exception',
    err: { message: 'nobody catches this' },
  });
});

it('goes on after a rejection that nobody caught, which it writes down', async () => {
  const { code, stdout, stderr } = await runService(`Promise.reject(new Error('nobody waits')); ${stopSoon}`);
  expect([code, stderr]).toEqual([0, '']);
  expect(linesOf(stdout).map(({ msg }) => msg)).toEqual(['serving', 'unhandled rejection', 'stopping', 'stopped']);
});
