import { defineEntity, p } from '@mikro-orm/core';

/** A user whose account was removed. */
export const RemovedUserSchema = defineEntity({
  name: 'RemovedUser',
  tableName: 'removed_users',
  properties: {
    id: p.uuid().primary(),
    removeTime: p.datetime(3),
  },
});
