import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { checkoutRoot } from './instance.ts';
import { checks, planTestRun, quickChecks, tallyOf } from './test-run.ts';

describe('the tally of a jest run', () => {
  it('counts a suite that could not be loaded as a failure', () => {
    expect(tallyOf({ numPassedTests: 3, numFailedTests: 1, numRuntimeErrorTestSuites: 1 }, 1)).toEqual({
      passed: 3,
      failed: 2,
    });
  });

  it('fails when no test was executed', () => {
    expect(tallyOf({ numPassedTests: 0, numFailedTests: 0, numRuntimeErrorTestSuites: 0 }, 0)).toEqual({
      passed: 0,
      failed: 1,
    });
  });

  it('fails when jest broke off or ended badly without saying why', () => {
    expect(tallyOf(undefined, 0)).toEqual({ passed: 0, failed: 1 });
    expect(tallyOf({ numPassedTests: 2, numFailedTests: 0, numRuntimeErrorTestSuites: 0 }, 1)).toEqual({
      passed: 2,
      failed: 1,
    });
  });
});

describe('the arguments of npm test', () => {
  it('without any run every check anew and every test', () => {
    expect(planTestRun([])).toEqual({ checks, lintAll: true, jest: { args: [], mayBeEmpty: false } });
  });

  it('are those of jest, without checks', () => {
    expect(planTestRun(['libs/db', '-t', 'rollback'])).toEqual({
      checks: [],
      lintAll: false,
      jest: { args: ['libs/db', '-t', 'rollback'], mayBeEmpty: false },
    });
  });

  it.each([
    [['--changed'], ['--onlyChanged', '--passWithNoTests']],
    [
      ['--changed', 'main'],
      ['--changedSince=main', '--passWithNoTests'],
    ],
    [
      ['--changed', '-t', 'rollback'],
      ['--onlyChanged', '-t', 'rollback', '--passWithNoTests'],
    ],
  ])('%j check what changed, and run what imports it', (args, jestArgs) => {
    expect(planTestRun(args)).toEqual({
      checks: quickChecks,
      lintAll: false,
      jest: { args: jestArgs, mayBeEmpty: true },
    });
  });
});

describe('the check of long lines', () => {
  const words = (characters: number): string => 'a b '.repeat(characters / 4);
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'taskflow-lines-'));
    mkdirSync(join(folder, '.github'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it.each([
    ['.github/NOTES.md', `# Notes\n${words(124)}\n`, 'NOTES.md:2: 124 characters'],
    ['rules.yaml', `# Rules\nexpr: ${words(120)}\n`, 'rules.yaml:2: 126 characters'],
    ['0001.sql', `select ${words(120)};\n`, '0001.sql:1: 128 characters'],
    ['tasks.proto', `// ${words(120)}\n`, 'tasks.proto:1: 123 characters'],
    ['limit.md', `${'… '.repeat(60)}\n[a]: https://example.com/${'a'.repeat(120)}\n`, ''],
    ['url.md', `https://example.com/${'a'.repeat(120)}\n`, ''],
    ['generated.yaml', `# Generated from rules.\nexpr: ${words(120)}\n`, ''],
  ])('%s', (file, text, fault) => {
    writeFileSync(join(folder, file), text);
    const script = join(checkoutRoot, '.config/long-lines.mjs');
    const { status, stderr } = spawnSync(process.execPath, [script], { cwd: folder, encoding: 'utf8' });
    expect({ status, stderr }).toEqual({ status: fault === '' ? 0 : 1, stderr: expect.stringContaining(fault) });
  });
});
