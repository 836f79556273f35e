import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, expect, it } from '@jest/globals';
import { startTimeOf } from '../boot/lock.mjs';
import { isRunning, refOf, refOfChild } from './processes.ts';

describe('the reference of a child', () => {
  it('is one of a running process as long as it runs', async () => {
    const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)']);
    const ref = await refOfChild(child);
    expect(ref).toEqual(refOf(child.pid ?? 0));
    child.kill('SIGKILL');
    await once(child, 'exit');
    expect(isRunning(ref)).toBe(false);
  });

  it('is one of a process that does not run when it has ended before anybody looked', async () => {
    const child = spawn(process.execPath, ['--version']);
    // Without a turn of the event loop, as when this process does not get the processor for a while.
    while (startTimeOf(child.pid ?? 0) !== undefined);
    const ended = once(child, 'exit');
    expect(isRunning(await refOfChild(child))).toBe(false);
    expect(await ended).toEqual([0, null]);
  });

  it('is not to be had when it could not be started', async () => {
    await expect(refOfChild(spawn('/nothing/here'))).rejects.toThrow('ENOENT');
  });
});
