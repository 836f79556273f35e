import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

const library = new URL('./crash-point.ts', import.meta.url).href;

/** What a process does that passes two points. */
function pass(orders: string | undefined): { signal: NodeJS.Signals | null; output: string } {
  const program = `
    import { armCrashPoints, crashPoint } from ${JSON.stringify(library)};
    armCrashPoints(${JSON.stringify(orders)});
    process.stdout.write('a'); crashPoint('first'); process.stdout.write('b'); crashPoint('second'); process.stdout.write('c');`;
  const { signal, stdout } = spawnSync(process.execPath, ['--input-type=module-typescript', '--eval', program], {
    encoding: 'utf8',
  });
  return { signal, output: stdout };
}

describe('a crash point', () => {
  let dir: string;
  beforeAll(() => {
    dir = mkdtempSync(join(tmpdir(), 'taskflow-crash-'));
  });
  afterAll(() => rmSync(dir, { recursive: true }));

  it('does nothing unless armed and named', () => {
    const orders = join(dir, 'orders');
    expect(pass(undefined)).toEqual({ signal: null, output: 'abc' });
    expect(pass(orders)).toEqual({ signal: null, output: 'abc' });
    writeFileSync(orders, 'third');
    expect(pass(orders)).toEqual({ signal: null, output: 'abc' });
    expect(existsSync(orders)).toBe(true);
  });

  it('ends the process at once, and only one', () => {
    const orders = join(dir, 'orders');
    writeFileSync(orders, 'second\n');
    expect(pass(orders)).toEqual({ signal: 'SIGKILL', output: 'ab' });
    expect(pass(orders)).toEqual({ signal: null, output: 'abc' });
  });
});
