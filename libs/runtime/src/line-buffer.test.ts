import { expect, it } from '@jest/globals';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { createLineBuffer } from './line-buffer.ts';
import { createLogger } from './logger.ts';

const logger = JSON.stringify(join(import.meta.dirname, 'logger.ts'));

function record() {
  const writes: string[] = [];
  const buffer = createLineBuffer({ write: (text) => void writes.push(text) });
  return { writes, buffer, logger: createLogger({ service: 'test', level: 'info', destination: buffer }) };
}

/** What a process that logs and then comes to such an end has written. */
async function outputOf(end: string): Promise<string> {
  const script = `import { createLogger } from ${logger}; createLogger({ service: 'test', level: 'info' }).info('the last line'); ${end}`;
  const run = promisify(execFile)(process.execPath, ['--input-type=module', '-e', script]);
  return (await run.catch((error: { stdout: string }) => error)).stdout;
}

it('writes the lines of many calls at once, in their order', () => {
  const { writes, buffer, logger: log } = record();
  log.info('one');
  log.info('two');
  expect(writes).toEqual([]);
  buffer.flush();
  expect(writes).toEqual([expect.stringMatching(/"msg":"one"}\n.*"msg":"two"}\n$/)]);
});

it('writes a held line by itself after a moment', async () => {
  const written = new Promise<string>((resolve) => {
    createLogger({ service: 'test', level: 'info', destination: createLineBuffer({ write: resolve }) }).info('alone');
  });
  expect(await written).toContain('alone');
});

it.each([
  ['a warning', 'warn', {}],
  ['an error', 'error', {}],
  ['an audit line', 'info', { audit: 'role_set' }],
] as const)('holds back neither %s nor what came before it', (_what, level, fields) => {
  const { writes, logger: log } = record();
  log.info('before');
  log[level](fields, 'now');
  expect(writes).toEqual([expect.stringMatching(/before.*\n.*now/)]);
});

it('holds back no more than a few kilobytes', () => {
  const { writes, logger: log } = record();
  for (let line = 0; line < 1000; line += 1) log.info('x'.repeat(100));
  expect(writes.length).toBeGreaterThan(5);
});

it.each([
  ['its work is done', ''],
  ['it calls exit', 'process.exit(3);'],
  ['an exception is not caught', 'throw new Error("unexpected");'],
  ['a rejection is not handled', 'await Promise.reject(new Error("unexpected"));'],
])('loses no line when the process ends because %s', async (_why, end) => {
  expect(await outputOf(end)).toContain('the last line');
});
