export interface MetricsPort {
  /** One try to reach a webhook. */
  webhookTried(outcome: 'delivered' | 'failed' | 'dead', durationMs: number): void;
  /** Counts notifications by the outcome of their delivery. */
  completed(counts: Record<'delivered' | 'muted' | 'stale' | 'digested', number>): void;
  scheduleRan(scheduleId: string, outcome: 'succeeded' | 'failed'): void;
  waiting(counts: { pending: number; deadLetters: number }): void;
  paused(queue: string, isPaused: boolean): void;
  /** Lost jobs that were made again; `kind` is what they are for. */
  reconciled(kind: string, count: number): void;
}
