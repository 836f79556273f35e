import { once, type Once, type UnitOfWork } from '#libs/db';
import type { UserActor } from '#libs/runtime';
import type { AuthDeps, Repositories } from '../deps.ts';
import { callerEnded } from '../domain/auth.errors.ts';

interface ChangeRequest {
  requestId: string;
  /** Checks and answers in the same way, but changes nothing. */
  validateOnly: boolean;
}

/** The checked request of a change. An empty etag stands for the current one. */
export type Change<Request extends ChangeRequest> = Omit<Request, 'requestId'> & Repeatable<Request>;

interface Repeatable<Request> {
  /** The field request_id; '' = none. */
  idempotencyKey: string;
  /** The request that a repeat under the same key must equal. */
  body: Request;
}

export interface Codec<T> {
  encode(message: T): { finish(): Uint8Array };
  decode(bytes: Uint8Array): T;
}

interface Method<Request, Response> {
  name: string;
  request: Codec<Request>;
  response: Codec<Response>;
}

/** How the first answer of a change is kept for its repeats. Requests may hold passwords, so fingerprints are keyed. */
export function onceFor<Request extends object, Response>(
  { requestFingerprints }: Pick<AuthDeps, 'requestFingerprints'>,
  actor: UserActor,
  { name, request, response }: Method<Request, Response>,
  { idempotencyKey, body }: Repeatable<Request>,
): Once<Response> {
  const call = { userId: actor.userId, method: name, idempotencyKey, fingerprintsOf: requestFingerprints };
  return once(call, body, request, response);
}

/**
 * The answer for a caller whose token has ended: that of the call which has ended it, for whoever can repeat it to the
 * letter.
 */
export async function recallForEnded<T>({ reader }: Pick<AuthDeps, 'reader'>, once: Once<T>): Promise<T> {
  const earlier = await reader.recall(once);
  if (earlier === undefined) throw callerEnded();
  return earlier;
}

/** Commits, or rolls back when only validating. */
export function endingOf(
  { uow }: Pick<AuthDeps, 'uow'>,
  { validateOnly }: Pick<ChangeRequest, 'validateOnly'>,
): UnitOfWork<Repositories>['run'] {
  return validateOnly ? uow.dryRun : uow.run;
}
