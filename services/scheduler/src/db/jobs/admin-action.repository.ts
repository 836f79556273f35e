import { afterCommit, runStatement, uuidv7, type EntityManager } from '#libs/db';
import { currentContext, type Logger } from '#libs/runtime';
import type { AdminActionRepository } from '../../domain/jobs/admin-action.repository.ts';
import { before, prunes } from '../pruning.ts';

const addText =
  'insert into admin_actions (id, actor_id, action, subject, call_id, create_time) values ($1, $2, $3, $4, $5, now())';

const pruneText = `
  delete from admin_actions where id = any (array(
    select id from admin_actions where create_time < ${before('$1')} order by create_time limit $2 for update skip locked))
  returning 1`;

export function createAdminActionRepository(em: EntityManager, logger: Logger): AdminActionRepository {
  return {
    record: async (actorId, { action, subject }) => {
      const callId = currentContext()?.requestId ?? '';
      await runStatement(em, addText, [uuidv7(), actorId, action, subject, callId]);
      afterCommit(em, () => logger.info({ actorId, action, subject, callId }, 'administrator acted'));
    },
    prune: prunes(em, pruneText),
  };
}
