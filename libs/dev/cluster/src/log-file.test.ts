import { appendFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { endOfLog, lastLines } from './log-file.ts';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'taskflow-log-'));
});
afterEach(() => rmSync(dir, { recursive: true }));

it('shows the last lines of this run, not those that an earlier one has left', () => {
  const path = join(dir, 'tasks.log');
  appendFileSync(path, 'an earlier run: démarré\nstopped\n');
  const begin = endOfLog(path);
  expect(lastLines(begin)).toBe('  (nothing)');
  appendFileSync(path, 'one\ntwo\nthree\n');
  expect(lastLines(begin, 2)).toBe('  two\n  three');
  expect(lastLines(begin)).toBe('  one\n  two\n  three');
});

it('shows all of a log that was not there before', () => {
  const path = join(dir, 'new.log');
  const begin = endOfLog(path);
  appendFileSync(path, 'one\n');
  expect(lastLines(begin)).toBe('  one');
});
