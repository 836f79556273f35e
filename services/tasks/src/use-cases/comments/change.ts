import { once } from '#libs/db';
import type { UserActor } from '#libs/runtime';
import type { Repositories, TasksDeps } from '../../deps.ts';

interface ChangeRequest {
  /** '' = none. */
  requestId: string;
  validateOnly: boolean;
}

interface Codec<T> {
  encode(message: T): { finish(): Uint8Array };
  decode(bytes: Uint8Array): T;
}

interface Change<Req> {
  /** Undefined: there is no such comment. */
  taskId: string | undefined;
  request: Req;
}

type Execute<Req, Res> = (
  deps: Pick<TasksDeps, 'uow'>,
  actor: UserActor,
  change: Change<Req>,
  work: (repositories: Repositories) => Promise<Res>,
) => Promise<Res>;

/**
 * Executes a method in one transaction, once for each idempotency key. All changes of a task's comments take turns at
 * the lock on the task, before anything is written: so they have one order in its history, where event ids count, and
 * in feeds, where transaction ids do.
 */
export const commentChange =
  <Req extends ChangeRequest, Res>(
    method: string,
    requestCodec: Pick<Codec<Req>, 'encode'>,
    responseCodec: Codec<Res>,
  ): Execute<Req, Res> =>
  async ({ uow }, actor, { taskId, request }, work) => {
    const { userId } = actor;
    const { requestId: idempotencyKey, validateOnly } = request;
    const body = { ...request, requestId: '' };
    const recorded = once({ userId, method, idempotencyKey }, body, requestCodec, responseCodec);
    if (validateOnly) return uow.dryRun(work, recorded);
    const isKeyed = idempotencyKey !== '' && taskId !== undefined;
    const takeTurn = isKeyed
      ? ({ tasks }: Repositories) => tasks.findForChange([{ taskId, assigneeId: null }], actor)
      : undefined;
    return uow.run(work, recorded, takeTurn);
  };
