import type { Logger, Metrics } from '#libs/runtime';
import { serverMetrics } from '../interceptors/observe.ts';

/** A call that ended before its request was read. */
export interface UnreadCall {
  method: string;
  /** The path of an unknown method. */
  path?: string;
  code: string;
  reason: string;
  requestId: string;
  traceId: string;
  peer: string;
  message: string;
}

/** Logs refused calls at a bounded rate, because refusals must stay cheap. */
interface RefusalLog {
  report(call: UnreadCall): void;
  /** Logs the counts of the refusals without a line of their own. */
  stop(): void;
}

/** Logs the first 100 refusals of each second; the rest are only counted. */
const loggedPerSecond = 100;
const secondMs = 1000;

export function createRefusalLog(logger: Logger): RefusalLog {
  let logged = 0;
  let timer: NodeJS.Timeout | undefined;
  const unlogged = new Map<string, Pick<UnreadCall, 'method' | 'code' | 'reason'> & { count: number }>();
  const sum = (): void => {
    timer = undefined;
    logged = 0;
    for (const line of unlogged.values()) logger.warn(line, 'more calls ended before their requests were read');
    unlogged.clear();
  };
  return {
    report: (call) => {
      timer ??= setTimeout(sum, secondMs).unref();
      logged += 1;
      if (logged <= loggedPerSecond) return logger.info(call, 'call ended before its request was read');
      const { method, code, reason } = call;
      const key = `${method} ${reason}`;
      const line = unlogged.get(key) ?? { method, code, reason, count: 0 };
      line.count += 1;
      unlogged.set(key, line);
    },
    stop: () => {
      clearTimeout(timer);
      sum();
    },
  };
}

/** Counts refused calls in the same metric as other calls, and logs them. */
export function countRefusals(metrics: Metrics, log: RefusalLog): (call: UnreadCall) => void {
  const { handled } = serverMetrics(metrics);
  return (call) => {
    const { method, code, reason } = call;
    handled.inc({ method, code, reason });
    log.report(call);
  };
}
