import type { AuditEntry } from '#libs/audit';
import { once, type Once } from '#libs/db';
import type { UserActor } from '#libs/runtime';
import type { Repositories, SchedulerDeps } from '../deps.ts';

type Deps = Pick<SchedulerDeps, 'uow'>;

/** The fields of every request that changes something. */
export interface ChangeRequest {
  /** '' = none. */
  requestId: string;
  validateOnly: boolean;
}

interface Codec<T> {
  encode(message: T): { finish(): Uint8Array };
  decode(bytes: Uint8Array): T;
}

/** A call that changes something, and how a repeated call is recognised. */
export interface Change<Req extends ChangeRequest, Res> {
  /** The method of the contract. */
  method: string;
  /** Without the fields that do not count. */
  request: Req;
  codecs: readonly [request: Pick<Codec<Req>, 'encode'>, response: Codec<Res>];
  /** The object of an administrator's action; undefined = the call is not recorded as one. */
  target: AuditEntry['target'] | undefined;
  /** Changes how the response is recorded; by default as it is. */
  record?: (plain: Once<Res>) => Once<Res>;
}

/** The changes of one method: `name` is the contract's. `target` is the object of an administrator's action; without it none is recorded. */
export function changesOf<Req extends ChangeRequest, Res>(
  method: string,
  ...codecs: Change<Req, Res>['codecs']
): (request: Req, target?: Change<Req, Res>['target']) => Change<Req, Res> {
  return (request, target) => ({ method, request, codecs, target });
}

/**
 * Executes a method in one transaction, once for each idempotency key. With `validateOnly` the response and the errors are the
 * same and nothing is written.
 */
export async function change<Req extends ChangeRequest, Res>(
  deps: Deps,
  actor: UserActor,
  called: Change<Req, Res>,
  work: (repositories: Repositories) => Promise<Res>,
): Promise<Res> {
  const { method, request, target } = called;
  const execute = request.validateOnly ? deps.uow.dryRun : deps.uow.run;
  return execute(
    async (repositories) => {
      const response = await work(repositories);
      if (target !== undefined) await repositories.audit.add({ action: method, target });
      return response;
    },
    onceOf(actor, called),
  );
}

function onceOf<Req extends ChangeRequest, Res>(
  { userId }: UserActor,
  { method, request, codecs, record = (plain) => plain }: Change<Req, Res>,
): Once<Res> {
  const { requestId: idempotencyKey } = request;
  const plain = once({ userId, method, idempotencyKey }, { ...request, requestId: '', validateOnly: false }, ...codecs);
  return record(plain);
}

/**
 * As `change`, for a method that asks another service before its transaction. A repeated call gets the recorded response
 * without that, since the other service may be away, and what it says may have changed.
 */
export async function changeAfter<Req extends ChangeRequest, Res, Found>(
  deps: Deps & Pick<SchedulerDeps, 'recall'>,
  actor: UserActor,
  called: Change<Req, Res>,
  { ask, work }: { ask: () => Promise<Found>; work: (repositories: Repositories, found: Found) => Promise<Res> },
): Promise<Res> {
  const earlier = await deps.recall(onceOf(actor, called));
  if (earlier !== undefined) return earlier;
  const found = await ask();
  return change(deps, actor, called, (repositories) => work(repositories, found));
}
