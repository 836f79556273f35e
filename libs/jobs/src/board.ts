import type { BullMQAdapter } from '@bull-board/api/bullMQAdapter';
import { queueNamesOf, type JobDefinition } from './definition.ts';
import { openProducer, type ProducerOptions } from './producer.ts';

export interface JobBoardOptions extends ProducerOptions {
  jobs: readonly JobDefinition[];
}

/** The queues as bull-board looks at them. */
export interface JobBoard {
  /**
   * One for each queue, always the same ones; none lets anything be changed. Throws AppError unavailable/QUEUE_UNAVAILABLE
   * at once when Redis is known to be away. What an adapter asks fails within a second when Redis is silent.
   */
  adapters(): Promise<readonly BullMQAdapter[]>;
  /** Does not wait for Redis. */
  close(): Promise<void>;
}

/** Opens the queues of the definitions for looking, over a connection of its own: what people look at holds up no job. Close it. */
export function openJobBoard(options: JobBoardOptions): JobBoard {
  const names = queueNamesOf(options.jobs);
  const producer = openProducer(options, names);
  let made: readonly BullMQAdapter[] | undefined;
  return {
    adapters: () =>
      producer.use(async (queues) => {
        // Whoever never looks does not load it.
        const { BullMQAdapter } = await import('@bull-board/api/bullMQAdapter');
        made ??= names.map((name) => new BullMQAdapter(queues(name), { readOnlyMode: true, allowRetries: false }));
        return made;
      }),
    close: producer.close,
  };
}
