import type { Command } from 'commander';
import { registerAdd } from './commands/add.ts';
import { registerAdmin } from './commands/admin.ts';
import { registerComment } from './commands/comment.ts';
import { registerCompletion } from './commands/completion.ts';
import { registerDoctor } from './commands/doctor.ts';
import { registerDone } from './commands/done.ts';
import { registerEdit } from './commands/edit.ts';
import { registerExport } from './commands/export.ts';
import { registerImport } from './commands/import.ts';
import { registerInbox } from './commands/inbox.ts';
import { registerLogin } from './commands/login.ts';
import { registerLogout } from './commands/logout.ts';
import { registerList } from './commands/ls.ts';
import { registerMcp } from './commands/mcp.ts';
import { registerMove } from './commands/mv.ts';
import { registerProfile } from './commands/profile.ts';
import { registerProject } from './commands/project.ts';
import { registerRegister } from './commands/register.ts';
import { registerRestore } from './commands/restore.ts';
import { registerRemove } from './commands/rm.ts';
import { registerSessions } from './commands/sessions.ts';
import { registerShow } from './commands/show.ts';
import { registerStats } from './commands/stats.ts';
import { registerToken } from './commands/token.ts';
import { registerWatch } from './commands/watch.ts';
import { registerWebhook } from './commands/webhook.ts';
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
  registerMove,
  registerRemove,
  registerRestore,
  registerComment,
  registerProject,
  registerWatch,
  registerStats,
  registerInbox,
  registerImport,
  registerExport,
  registerToken,
  registerWebhook,
  registerSessions,
  registerProfile,
  registerAdmin,
  registerMcp,
  registerDoctor,
  registerCompletion,
];
