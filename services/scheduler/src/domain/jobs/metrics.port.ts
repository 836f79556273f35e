/** failed: it is tried again. stale: dropped. postponed: its recipient has got many. unknown: no answer came; dead, too. */
export type MailOutcome = 'sent' | 'failed' | 'stale' | 'postponed' | 'dead' | 'unknown';

export interface MetricsPort {
  /** One try to reach a webhook. */
  webhookTried(outcome: 'delivered' | 'failed' | 'dead', durationMs: number): void;
  /** One attempt to send a mail, or a mail that was not to be sent any more. */
  mailTried(outcome: MailOutcome, durationMs: number): void;
  /** Counts notifications by the outcome of their delivery. */
  completed(counts: Record<'delivered' | 'muted' | 'stale' | 'digested', number>): void;
  scheduleRan(scheduleId: string, outcome: 'succeeded' | 'failed'): void;
  waiting(counts: { pending: number; deadLetters: number }): void;
  paused(queue: string, isPaused: boolean): void;
  /** Lost jobs that were made again; `kind` is what they are for. */
  reconciled(kind: string, count: number): void;
}
