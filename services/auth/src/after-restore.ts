import { readCommandOptions } from '#libs/db';
import { runAfterRestoreCommand } from '#libs/events';
import { databaseDefinition } from './db/database.ts';
import { handOverProfiles } from './db/hand-over-profiles.ts';
import { repeatRemovals } from './db/repeat-removals.ts';

await runAfterRestoreCommand(
  () => readCommandOptions('auth', databaseDefinition),
  async (database) => ({ profiles: await handOverProfiles(database), removals: await repeatRemovals(database) }),
);
