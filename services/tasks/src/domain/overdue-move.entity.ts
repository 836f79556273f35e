import { defineEntity, p } from '@mikro-orm/core';

/**
 * How many marked due rows a person has, as a sum of rows: PostgreSQL adds one for each statement that changes the number.
 * A marked row is overdue for sure, so only those that the sweep has not marked yet are counted by their due time.
 */
export const OverdueMove = defineEntity({
  name: 'OverdueMove',
  tableName: 'overdue_moves',
  properties: {
    id: p.bigint().primary().generated('by default as identity'),
    personId: p.uuid(),
    owned: p.bigint(),
    assigned: p.bigint(),
  },
  indexes: [{ name: 'overdue_moves_person', properties: ['personId'] }],
});
