import { once } from '#libs/db';
import type { UserActor } from '#libs/runtime';
import {
  StartWatchingTaskRequest,
  StartWatchingTaskResponse,
  StopWatchingTaskRequest,
  StopWatchingTaskResponse,
} from '#contract/tasks/v1/tasks';
import type { TasksDeps } from '../../deps.ts';
import { maySee } from '../../domain/task-access.ts';
import { cannotWatch } from '../../domain/watcher.errors.ts';

type Deps = Pick<TasksDeps, 'uow' | 'clock'>;

export async function startWatchingTask(
  deps: Deps,
  actor: UserActor,
  request: StartWatchingTaskRequest,
): Promise<StartWatchingTaskResponse> {
  return setWatching(deps, actor, request, {
    watching: true,
    method: 'StartWatchingTask',
    codecs: [StartWatchingTaskRequest, StartWatchingTaskResponse],
  });
}

export async function stopWatchingTask(
  deps: Deps,
  actor: UserActor,
  request: StopWatchingTaskRequest,
): Promise<StopWatchingTaskResponse> {
  return setWatching(deps, actor, request, {
    watching: false,
    method: 'StopWatchingTask',
    codecs: [StopWatchingTaskRequest, StopWatchingTaskResponse],
  });
}

interface Choice {
  watching: boolean;
  method: string;
  codecs: [typeof StartWatchingTaskRequest, typeof StartWatchingTaskResponse];
}

/** Choosing what is so already is no error. */
async function setWatching(
  { uow, clock }: Deps,
  actor: UserActor,
  request: StartWatchingTaskRequest,
  { watching, method, codecs }: Choice,
): Promise<object> {
  const { userId } = actor;
  const { taskId, requestId: idempotencyKey, validateOnly } = request;
  const execute = validateOnly ? uow.dryRun : uow.run;
  return execute(
    async ({ tasks, watchers }) => {
      const locked = await tasks.getForChange(taskId, actor);
      if (watching && !maySee({ ...actor, role: 'user' }, locked)) throw cannotWatch(taskId);
      await watchers.set({ taskId, userId, watching, createTime: clock.now() });
      return {};
    },
    once({ userId, method, idempotencyKey }, { ...request, requestId: '' }, ...codecs),
  );
}
