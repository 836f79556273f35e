import { Option } from 'commander';
import { TaskPriority, TaskStatus } from '#client/tasks';
import { collect, readChoice, readChoiceList, wordsOf } from '../input/choices.ts';
import { dueHelp } from '../input/due.ts';

const priorities = wordsOf(TaskPriority);
const statuses = wordsOf(TaskStatus);

export const priorityOption = (): Option =>
  new Option('-p, --priority <priority>', priorities.join(', ')).argParser((text) =>
    readChoice<TaskPriority>(TaskPriority, priorities, text),
  );

export const statusOption = (): Option =>
  new Option('-s, --status <status>', statuses.join(', ')).argParser((text) =>
    readChoice<TaskStatus>(TaskStatus, statuses, text),
  );

export const dueOption = (more = ''): Option => new Option('-d, --due <due>', `${dueHelp}${more}`);

export const labelOption = (what: string): Option =>
  new Option('-l, --label <label>', `${what}; repeat it for several`).argParser(collect);

export const descriptionOption = (): Option => new Option('--description <text>', 'what else there is to say');

export const assigneeOption = (): Option => new Option('-a, --assignee <e-mail>', 'who is to do it; "none" for nobody');

export const prioritiesOption = (): Option =>
  new Option('-p, --priority <priorities>', `any of ${priorities.join(', ')}, with commas between`).argParser(
    readChoiceList<TaskPriority>(TaskPriority, priorities),
  );

/** What is still to be done. */
export const openStatuses = [TaskStatus.PENDING, TaskStatus.IN_PROGRESS];

const groups: Readonly<Record<string, TaskStatus[]>> = { open: openStatuses, all: [] };
const readStatuses = readChoiceList<TaskStatus>(TaskStatus, statuses);

export const statusesOption = (): Option =>
  new Option('-s, --status <statuses>', `open, all, or any of ${statuses.join(', ')}, with commas between`)
    .argParser((text, before?: TaskStatus[]) => groups[text] ?? readStatuses(text, before))
    .default(undefined, 'open');
