import { steadyNow, timerMs, type Logger, type Metrics } from '#libs/runtime';

/** The decision of an administrator, which replaces that of the breaker. */
export interface BreakerOverride {
  state: 'open' | 'closed';
  /** By `steadyNow`. */
  until: number;
  actor: string;
  reason: string;
}

export interface OverrideControl {
  /** undefined while there is no override. */
  current(): BreakerOverride | undefined;
  set(override: BreakerOverride): void;
  clear(): void;
  /** Stops the timer. */
  close(): void;
}

/** The method that a breaker guards, and where its changes are reported. */
export interface BreakerPlace {
  callee: string;
  /** "taskflow.users.v1.InternalUsersService/BatchGetUsers" */
  method: string;
  logger: Logger;
  metrics: Metrics;
  /** Called after every change of the state or of the override. */
  onChange?: () => void;
  onClose?: () => void;
}

const gaugeValues = { none: 0, open: 1, closed: 2 } as const;

/** An override expires by itself, with a log line. */
export function createOverride({ callee, method, logger, metrics, onChange }: BreakerPlace): OverrideControl {
  const gauge = metrics.gauge(
    'grpc_client_breaker_override',
    'Breaker override by an administrator: 0 none, 1 open, 2 closed.',
    ['callee', 'method'],
  );
  gauge.set({ callee, method }, gaugeValues.none);
  let current: BreakerOverride | undefined;
  let timer: NodeJS.Timeout | undefined;
  const become = (next: BreakerOverride | undefined): void => {
    clearTimeout(timer);
    current = next;
    gauge.set({ callee, method }, gaugeValues[next?.state ?? 'none']);
    onChange?.();
  };
  const expire = (): void => {
    become(undefined);
    logger.info({ callee, method }, 'breaker override expired');
  };
  return {
    current: () => current,
    set: (override) => {
      become(override);
      timer = setTimeout(expire, timerMs(override.until - steadyNow())).unref();
    },
    clear: () => become(undefined),
    close: () => clearTimeout(timer),
  };
}
