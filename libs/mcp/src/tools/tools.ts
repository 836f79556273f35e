import { commentTools } from './comment-tools.ts';
import { inboxTools } from './inbox-tools.ts';
import { peopleTools } from './people-tools.ts';
import { taskTools } from './task-tools.ts';
import type { Tool } from './tool.ts';

/** Everything that an agent can do, in the order in which it is listed. At most twenty, since each costs the agent room. */
export const tools: readonly Tool[] = [...taskTools, ...commentTools, ...inboxTools, ...peopleTools];
