import type { UserActor } from '#libs/runtime';
import type { TasksDeps } from '../deps.ts';
import type { FoundPeople, People, Person } from '../domain/people.ts';
import type { TaskEdit } from '../domain/task.columns.ts';
import { tooManyUnknownEmails } from '../domain/task.errors.ts';
import { needsCheck, type Assignment } from '../domain/task-writes.ts';

export type LookUpNeeds = Pick<TasksDeps, 'people' | 'taskReader' | 'unknownEmails' | 'newId'>;

/** Beside its number of calls: a batch may name 500 e-mails. */
export const unknownEmailsLimit = { points: 500, perSeconds: 600 };
const limitName = `${unknownEmailsLimit.points} e-mails that find nobody per ${unknownEmailsLimit.perSeconds} s`;

/**
 * What is known of the people whom an answer names, and of the assignees to be. It is looked up before the transaction, and
 * throws only there, after a repeated request has found its recorded answer.
 */
export async function lookUpPeople(
  deps: LookUpNeeds,
  actor: UserActor,
  { present, assignments }: { present: readonly string[]; assignments: readonly Assignment<TaskEdit>[] },
): Promise<People> {
  const ids = assignments.map(({ fields }) => fields.assigneeId ?? null);
  const mustCheck = assignments.some((assignment) => needsCheck(assignment, actor));
  const emails = new Set(assignments.map(({ assigneeEmail }) => assigneeEmail));
  emails.delete('');
  const names = deps.people.lookUp([...present, ...ids], { mustCheck });
  if (emails.size === 0) return names;
  const [known, found] = await Promise.all([names, findByEmails(deps, actor, [...emails])]);
  return known.with(found);
}

/** Whom the caller finds by the e-mails. Only those that find nobody count towards the limit. */
async function findByEmails(deps: LookUpNeeds, actor: UserActor, emails: readonly string[]): Promise<FoundPeople> {
  const { unknownEmails } = deps;
  const { allowed, retryAfterMs } = await unknownEmails.take(actor.userId, emails.length);
  if (!allowed) return { byEmail: new Map(), failure: tooManyUnknownEmails(actor.userId, limitName, retryAfterMs) };
  const found = await askUsers(deps, actor, emails);
  await unknownEmails.giveBack(actor.userId, found.failure === undefined ? found.byEmail.size : emails.length);
  return found;
}

async function askUsers(
  { people, taskReader, newId }: LookUpNeeds,
  actor: UserActor,
  emails: readonly string[],
): Promise<FoundPeople> {
  try {
    const found = await people.findByEmails(actor, emails);
    const closed = emails.filter((email) => found.get(email)?.isOpenToCaller !== true);
    // The same question for an e-mail that nobody has, about an id that nobody has: it costs the same.
    const sharing = await taskReader.findSharing(
      actor.userId,
      closed.map((email) => found.get(email)?.person.id ?? newId()),
    );
    const byEmail = new Map<string, Person>();
    for (const [email, { person, isOpenToCaller }] of found)
      if (isOpenToCaller || sharing.has(person.id)) byEmail.set(email, person);
    return { byEmail };
  } catch (failure) {
    return { byEmail: new Map(), failure };
  }
}
