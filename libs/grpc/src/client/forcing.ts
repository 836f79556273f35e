import type { Logger, Metrics } from '#libs/runtime';

/** What an administrator decided in the place of a breaker. */
export interface Forcing {
  state: 'open' | 'closed';
  /** Milliseconds since 1970. */
  until: number;
  actor: string;
  reason: string;
}

export interface ForcingControl {
  /** undefined while the breaker decides by itself. */
  current(): Forcing | undefined;
  set(forcing: Forcing): void;
  clear(): void;
  /** Stops the clock. */
  close(): void;
}

export interface ForcedPlace {
  callee: string;
  method: string;
  logger: Logger;
  metrics: Metrics;
  onChange?: () => void;
}

const gaugeValues = { none: 0, open: 1, closed: 2 } as const;

/** Ends by itself, with a log line, when its time is over. */
export function createForcing({ callee, method, logger, metrics, onChange }: ForcedPlace): ForcingControl {
  const gauge = metrics.gauge('grpc_client_breaker_forced', 'Breaker held by an administrator: 0 no, 1 open, 2 closed.', ['callee', 'method']);
  gauge.set({ callee, method }, gaugeValues.none);
  let forced: Forcing | undefined;
  let timer: NodeJS.Timeout | undefined;
  const become = (next: Forcing | undefined): void => {
    clearTimeout(timer);
    forced = next;
    gauge.set({ callee, method }, gaugeValues[next?.state ?? 'none']);
    onChange?.();
  };
  const expire = (): void => {
    become(undefined);
    logger.info({ callee, method }, 'breaker is no longer forced: its time is over');
  };
  return {
    current: () => forced,
    set: (forcing) => {
      become(forcing);
      timer = setTimeout(expire, Math.max(0, forcing.until - Date.now())).unref();
    },
    clear: () => become(undefined),
    close: () => clearTimeout(timer),
  };
}
