// Whether new migrations only expand, and released ones are what they were.
import { fileURLToPath } from 'node:url';
import { takeNoArguments } from '../../runtime/command-line/command-line.mjs';
import { checkMigrations, migrationFolders } from '../check/service-migrations.ts';

takeNoArguments('migrations:check');
let faults = 0;
for (const [service, folder] of migrationFolders(fileURLToPath(new URL('../../..', import.meta.url)))) {
  const lines = await checkMigrations(folder);
  for (const line of lines) console.log(`${service}/${line}`);
  faults += lines.length;
}
console.log(faults === 0 ? 'the migrations only expand' : `${faults} faults`);
process.exitCode = faults === 0 ? 0 : 1;
// The channel to boot.mjs would keep this process alive.
process.disconnect?.();
