import type { EntityManager } from '#libs/db';
import type { AdminActionRepository } from '../../domain/jobs/admin-action.repository.ts';
import { before, prunes } from '../pruning.ts';

const pruneText = `
  delete from admin_actions where id = any (array(
    select id from admin_actions where create_time < ${before('$1')} order by create_time limit $2 for update skip locked))
  returning 1`;

export const createAdminActionRepository = (em: EntityManager): AdminActionRepository => ({
  prune: prunes(em, pruneText),
});
