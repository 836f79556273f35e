import { runStatement, type EntityManager } from '#libs/db';
import { defineEntity, p } from '@mikro-orm/core';

/** What an administrator did, kept for others to read. */
export interface AdminAction {
  id: string;
  actorId: string;
  /** The method of the contract. */
  action: string;
  /** What it was done to: the id of a schedule, a job, a queue. */
  subject: string;
  callId: string;
}

export const AdminActionSchema = defineEntity({
  name: 'AdminAction',
  tableName: 'admin_actions',
  properties: {
    id: p.uuid().primary(),
    actorId: p.uuid(),
    action: p.text(),
    subject: p.text(),
    callId: p.text(),
    createTime: p.datetime(3),
  },
  indexes: [{ name: 'admin_actions_create_time', properties: ['createTime'] }],
});

export interface AdminActionRepository {
  /** In the transaction of what was done. */
  add(action: AdminAction): Promise<void>;
}

const addText = 'insert into admin_actions (id, actor_id, action, subject, call_id, create_time) values ($1, $2, $3, $4, $5, now())';

export function createAdminActionRepository(em: EntityManager): AdminActionRepository {
  return {
    add: async ({ id, actorId, action, subject, callId }) => void (await runStatement(em, addText, [id, actorId, action, subject, callId])),
  };
}
