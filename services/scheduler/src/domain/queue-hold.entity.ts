import { defineEntity, p } from '@mikro-orm/core';

/** A queue that is paused; no row: it runs. */
export const QueueHoldSchema = defineEntity({
  name: 'QueueHold',
  tableName: 'queue_holds',
  properties: {
    queue: p.text().primary(),
    heldBy: p.uuid(),
    holdTime: p.datetime(3),
  },
});
