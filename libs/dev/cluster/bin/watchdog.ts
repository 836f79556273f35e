// Started by src/guard.ts, never by hand: reads the list of watched processes from its parent, one JSON array a line,
// and stops them when the pipe closes without the farewell.
import { rmSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { stopInOrder, type GuardedProcess } from '../src/guard.ts';

const folderToRemove = process.argv[2];
let watched: GuardedProcess[] = [];
let released = false;

// Its life ends with the pipe and nothing else.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => undefined);

for await (const line of createInterface({ input: process.stdin })) {
  if (line === 'done') released = true;
  else watched = JSON.parse(line) as GuardedProcess[];
}
if (!released) {
  await stopInOrder(watched);
  if (folderToRemove !== undefined) rmSync(folderToRemove, { recursive: true, force: true, maxRetries: 5 });
}
