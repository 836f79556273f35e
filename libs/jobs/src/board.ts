import type { BullMQAdapter } from '@bull-board/api/bullMQAdapter';
import { queueNamesOf, type JobDefinition } from './definition.ts';
import { openProducer, type ProducerOptions } from './producer.ts';

export interface JobBoardOptions extends ProducerOptions {
  jobs: readonly JobDefinition[];
}

/** The queues as bull-board shows them. */
export interface JobBoard {
  /**
   * One read-only adapter per queue, always the same ones. Throws AppError unavailable/QUEUE_UNAVAILABLE at once when
   * Redis is known to be away. When Redis is silent, an adapter's commands fail within a second.
   */
  adapters(): Promise<readonly BullMQAdapter[]>;
  /** Does not wait for Redis. */
  close(): Promise<void>;
}

/**
 * Opens the queues of the definitions read-only, over a connection of its own, so that looking never delays a job.
 * Close it.
 */
export function openJobBoard(options: JobBoardOptions): JobBoard {
  const names = queueNamesOf(options.jobs);
  const producer = openProducer(options, names);
  let made: readonly BullMQAdapter[] | undefined;
  return {
    adapters: () =>
      producer.use(async (queues) => {
        // Loaded only when somebody looks.
        const { BullMQAdapter } = await import('@bull-board/api/bullMQAdapter');
        made ??= names.map((name) => new BullMQAdapter(queues(name), { readOnlyMode: true, allowRetries: false }));
        return made;
      }),
    close: producer.close,
  };
}
