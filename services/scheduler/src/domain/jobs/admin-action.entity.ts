import { defineEntity, p } from '@mikro-orm/core';

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
