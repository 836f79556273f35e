import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ensureInstalled, isInstalled, stampOf } from '../boot/install.mjs';
import { startTimeOf, tryLock } from '../boot/lock.mjs';

const platformPackage = { version: '1.0.0', integrity: 'sha512-p', optional: true };

describe('the boot script', () => {
  let root: string;
  const write = (path: string, content: unknown): void => writeFileSync(join(root, path), JSON.stringify(content));
  const lockfile = (version: string): object => ({
    packages: {
      '': {},
      'node_modules/pino': { version, integrity: `sha512-${version}` },
      'node_modules/for-another-platform': platformPackage,
    },
  });
  const installed = (version: string): object => ({
    packages: { 'node_modules/pino': { version, integrity: `sha512-${version}` } },
  });

  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'taskflow-boot-'));
    mkdirSync(join(root, 'node_modules'));
    write('package.json', { dependencies: { pino: '10.4.0' }, scripts: { start: 'node a.mjs' } });
    write('package-lock.json', lockfile('10.4.0'));
  });

  afterEach(() => rmSync(root, { recursive: true, force: true }));

  it('takes over an install by hand that is what the lockfile says', async () => {
    write('node_modules/.package-lock.json', installed('10.4.0'));

    await ensureInstalled(root, () => undefined);

    expect(isInstalled(root)).toBe(true);
  });

  it('sees that the lockfile or the dependencies have changed since', async () => {
    write('node_modules/.package-lock.json', installed('10.4.0'));
    await ensureInstalled(root, () => undefined);

    write('package-lock.json', lockfile('10.5.0'));

    expect(isInstalled(root)).toBe(false);
  });

  it('does not mind a change of package.json outside its dependencies', () => {
    const before = stampOf(root);
    write('package.json', { dependencies: { pino: '10.4.0' }, scripts: { start: 'node b.mjs' } });
    expect(stampOf(root)).toBe(before);

    write('package.json', { dependencies: { pino: '10.5.0' } });
    expect(stampOf(root)).not.toBe(before);
  });
});

describe('a lock', () => {
  let folder: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'taskflow-lock-'));
  });

  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it('names its living holder to the second one, and is free again after its release', () => {
    const path = join(folder, 'lock');
    const first = tryLock(path);
    const second = tryLock(path);

    expect(second.holder).toEqual({ pid: process.pid, startTime: startTimeOf(process.pid) });
    first.release?.();
    expect(tryLock(path).release).toBeDefined();
  });

  it('is taken over from a process that has ended, also when its pid is in use again', () => {
    const path = join(folder, 'lock');
    writeFileSync(path, JSON.stringify({ pid: process.pid, startTime: 'another life' }));

    expect(tryLock(path).release).toBeDefined();
  });
});
