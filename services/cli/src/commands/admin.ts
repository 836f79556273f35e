import type { Command } from 'commander';
import { registerAudit } from './admin/audit.ts';
import { registerBreakers } from './admin/breakers.ts';
import { registerDeadJobs } from './admin/dead-jobs.ts';
import { registerDeadLetterEvents } from './admin/dead-letter-events.ts';
import { registerExplain } from './admin/explain.ts';
import { registerQueues } from './admin/queues.ts';
import { registerSchedules } from './admin/schedules.ts';
import { registerUsers } from './admin/users.ts';

/** What administrators do over the network. What needs the server itself is `npm run admin` there. */
export function registerAdmin(program: Command): void {
  const admin = program
    .command('admin')
    .summary('what administrators do')
    .description('What administrators do: people, schedules, queues, what could not be handled, audit and breakers.');
  registerUsers(admin);
  registerSchedules(admin);
  registerQueues(admin);
  registerDeadJobs(admin);
  registerDeadLetterEvents(admin);
  registerAudit(admin);
  registerBreakers(admin);
  registerExplain(admin);
}
