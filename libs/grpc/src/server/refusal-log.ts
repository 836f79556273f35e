import type { Logger, Metrics } from '#libs/runtime';
import { serverMetrics } from './observe.ts';

/** A call that ended before its request was read. */
export interface UnreadCall {
  method: string;
  code: string;
  reason: string;
  requestId: string;
  traceId: string;
  peer: string;
  message: string;
}

/** The log lines of calls that came to nothing: refusing must stay cheap, however many are refused. */
export interface RefusalLog {
  tell(call: UnreadCall): void;
  /** Writes down what has not been told. */
  stop(): void;
}

/** Told one by one in a second; of more only how many they were. */
const toldPerSecond = 100;
const secondMs = 1000;

export function createRefusalLog(logger: Logger): RefusalLog {
  let told = 0;
  let timer: NodeJS.Timeout | undefined;
  const untold = new Map<string, Pick<UnreadCall, 'method' | 'code' | 'reason'> & { count: number }>();
  const sum = (): void => {
    timer = undefined;
    told = 0;
    for (const line of untold.values()) logger.warn(line, 'more calls ended before their requests were read');
    untold.clear();
  };
  return {
    tell: (call) => {
      timer ??= setTimeout(sum, secondMs).unref();
      told += 1;
      if (told <= toldPerSecond) return logger.info(call, 'call ended before its request was read');
      const { method, code, reason } = call;
      const key = `${method} ${reason}`;
      const line = untold.get(key) ?? { method, code, reason, count: 0 };
      line.count += 1;
      untold.set(key, line);
    },
    stop: () => {
      clearTimeout(timer);
      sum();
    },
  };
}

/** Counts such a call like any other, and tells of it. */
export function countRefusals(metrics: Metrics, log: RefusalLog): (call: UnreadCall) => void {
  const { handled } = serverMetrics(metrics);
  return (call) => {
    const { method, code, reason } = call;
    handled.inc({ method, code, reason });
    log.tell(call);
  };
}
