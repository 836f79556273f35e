import type { Command } from 'commander';
import { registerAdd } from './commands/add.ts';
import { registerDone } from './commands/done.ts';
import { registerEdit } from './commands/edit.ts';
import { registerInbox } from './commands/inbox.ts';
import { registerList } from './commands/ls.ts';
import { registerLogin } from './commands/login.ts';
import { registerLogout } from './commands/logout.ts';
import { registerProfile } from './commands/profile.ts';
import { registerRegister } from './commands/register.ts';
import { registerRemove } from './commands/rm.ts';
import { registerRestore } from './commands/restore.ts';
import { registerShow } from './commands/show.ts';
import { registerStats } from './commands/stats.ts';
import { registerWatch } from './commands/watch.ts';
import { registerWhoami } from './commands/whoami.ts';

/** What the command line can do, in the order of its help. */
export const commands: readonly ((program: Command) => void)[] = [
  registerLogin,
  registerLogout,
  registerWhoami,
  registerRegister,
  registerAdd,
  registerList,
  registerShow,
  registerDone,
  registerEdit,
  registerRemove,
  registerRestore,
  registerWatch,
  registerStats,
  registerInbox,
  registerProfile,
];
