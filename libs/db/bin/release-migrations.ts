// Puts new migrations on the lists of released ones.
import { fileURLToPath } from 'node:url';
import { takeNoArguments } from '../../runtime/command-line/command-line.mjs';
import { migrationFolders, releaseMigrations } from '../check/service-migrations.ts';

takeNoArguments('migrations:release');
try {
  for (const [service, folder] of migrationFolders(fileURLToPath(new URL('../../..', import.meta.url)))) {
    for (const name of await releaseMigrations(folder)) console.log(`${service}/${name}`);
  }
} catch (error) {
  process.exitCode = 1;
  console.error((error as Error).message);
}
// The channel to boot.mjs would keep this process alive.
process.disconnect?.();
