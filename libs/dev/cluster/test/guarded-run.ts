// A run that guards one process and then waits to be killed: arguments are the guard's folder and whether it is removed.
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { openGuard } from '../src/guard.ts';
import { refOf } from '../src/processes.ts';

const [folder = '', removeDir] = process.argv.slice(2);
const guard = openGuard(folder, removeDir === 'true');
const idle = spawn(process.execPath, ['-e', 'setInterval(() => undefined, 1000)'], { detached: true, stdio: 'ignore' });
const watched = refOf(idle.pid ?? 0);
guard.watch({ ...watched, role: 'service' });
const { watchdog } = JSON.parse(readFileSync(join(folder, 'processes.json'), 'utf8')) as { watchdog: unknown };
process.send?.({ watched, watchdog });
setInterval(() => undefined, 1_000);
