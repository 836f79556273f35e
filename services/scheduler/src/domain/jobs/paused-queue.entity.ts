import { defineEntity, p } from '@mikro-orm/core';

/** The etag of a queue that was paused then; undefined: it runs. */
export function queueEtag(pauseTime: Date | undefined): string {
  return `"${(pauseTime?.getTime() ?? 0).toString(36)}"`;
}

/** A paused queue; a queue without a row runs. */
export const PausedQueueSchema = defineEntity({
  name: 'PausedQueue',
  tableName: 'queue_holds',
  properties: {
    queue: p.text().primary(),
    pauserId: p.uuid().fieldName('held_by'),
    pauseTime: p.datetime(3).fieldName('hold_time'),
  },
});
