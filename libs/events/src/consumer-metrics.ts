import { systemClock, type Clock, type Metrics } from '#libs/runtime';

const outcomes = ['handled', 'dead_letter', 'gap', 'restored'] as const;

/** What an event consumer reports about itself. */
export interface ConsumerMetrics {
  count(outcome: (typeof outcomes)[number], events: number): void;
  /**
   * Notes that the source has answered. Takes the oldest event's time and returns its age in seconds, 0 without events.
   */
  pulled(oldest: Date | undefined): number;
}

interface Options {
  /** The cursor's name. */
  name: string;
  metrics?: Metrics;
  clock?: Clock;
}

/** Registers the metrics; without a registry it only computes the age. */
export function createConsumerMetrics({ name: cursor, metrics, clock = systemClock }: Options): ConsumerMetrics {
  const events = metrics?.counter(
    'event_consumer_events_total',
    'Events taken from the source, by outcome. gap counts how often events were missed, restored how often the source was.',
    ['cursor', 'outcome'],
  );
  // An alert on an increase does not see a series that begins with 1.
  for (const outcome of outcomes) events?.inc({ cursor, outcome }, 0);
  const lag = metrics?.gauge('event_consumer_lag_seconds', 'Age of the oldest event of the latest batch.', ['cursor']);
  const lastPull = metrics?.gauge(
    'event_consumer_last_pull_timestamp_seconds',
    'When the source last answered: an old answer says nothing about the lag.',
    ['cursor'],
  );
  return {
    count: (outcome, count) => events?.inc({ cursor, outcome }, count),
    pulled: (oldest) => {
      const nowMs = clock.now().getTime();
      const ageSeconds = oldest === undefined ? 0 : Math.max(0, (nowMs - oldest.getTime()) / 1000);
      lastPull?.set({ cursor }, nowMs / 1000);
      lag?.set({ cursor }, ageSeconds);
      return ageSeconds;
    },
  };
}
