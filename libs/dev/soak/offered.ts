import { monitorEventLoopDelay } from 'node:perf_hooks';
import { createHistogram, frame, openChannel, percentile, record, type Histogram } from '#dev/bench';

/** Calls at a fixed rate, whether or not the server keeps up. */
export interface Offer {
  readonly address: string;
  readonly path: string;
  readonly message: Uint8Array;
  readonly headers: Readonly<Record<string, string>>;
  readonly ratePerSecond: number;
  readonly durationMs: number;
}

export interface Outcomes {
  readonly count: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

export interface Offered {
  readonly sent: number;
  /** Calls a second that were really sent. */
  readonly ratePerSecond: number;
  /** From the first call to the last answer. */
  readonly elapsedMs: number;
  /** By grpc-status. */
  readonly byStatus: Readonly<Record<string, Outcomes>>;
  readonly generator: GeneratorCost;
}

/** The load generator's own cost. It shares the machine with the service, so it is part of the measured times. */
export interface GeneratorCost {
  /** Seconds of CPU in a second. */
  readonly processors: number;
  /** How late it looks at what has arrived. */
  readonly lateP50Ms: number;
  readonly lateP99Ms: number;
}

const connections = 8;
const tickMs = 5;

function summarize(histograms: ReadonlyMap<number, { latencies: Histogram; count: number }>): Offered['byStatus'] {
  const entries = [...histograms].map(
    ([status, { latencies, count }]) =>
      [status, { count, p50Ms: percentile(latencies, 0.5), p99Ms: percentile(latencies, 0.99) }] as const,
  );
  return Object.fromEntries(entries);
}

const resolutionMs = 1;

/** Returns a function that gives the cost since now. */
function watchGenerator(): () => GeneratorCost {
  const delay = monitorEventLoopDelay({ resolution: resolutionMs });
  const [cpu, began] = [process.cpuUsage(), performance.now()];
  delay.enable();
  return () => {
    delay.disable();
    const { user, system } = process.cpuUsage(cpu);
    const late = (percent: number): number => Math.max(0, delay.percentile(percent) / 1e6 - resolutionMs);
    return {
      processors: (user + system) / 1000 / (performance.now() - began),
      lateP50Ms: late(50),
      lateP99Ms: late(99),
    };
  };
}

/** Resolves when every call has been answered. */
export async function offer({ address, path, message, headers, ratePerSecond, durationMs }: Offer): Promise<Offered> {
  const channels = await Promise.all(Array.from({ length: connections }, async () => openChannel(address)));
  const body = frame(message);
  const histograms = new Map<number, { latencies: Histogram; count: number }>();
  const began = performance.now();
  const generator = watchGenerator();
  let sent = 0;
  let open = 0;
  const drained = Promise.withResolvers<void>();
  const isOver = (): boolean => performance.now() - began >= durationMs;
  const send = (): void => {
    const sentAt = performance.now();
    open += 1;
    channels[sent % connections]?.call(path, body, { headers }, ({ status }) => {
      const seen = histograms.get(status) ?? { latencies: createHistogram(), count: 0 };
      histograms.set(status, seen);
      seen.count += 1;
      record(seen.latencies, performance.now() - sentAt);
      open -= 1;
      if (open === 0 && isOver()) drained.resolve();
    });
    sent += 1;
  };
  const timer = setInterval(() => {
    const due = (Math.min(performance.now() - began, durationMs) / 1000) * ratePerSecond;
    while (sent < due) send();
    if (!isOver()) return;
    clearInterval(timer);
    if (open === 0) drained.resolve();
  }, tickMs);
  await drained.promise;
  const elapsedMs = performance.now() - began;
  channels.forEach((channel) => channel.close());
  return {
    sent,
    ratePerSecond: sent / (durationMs / 1000),
    elapsedMs,
    byStatus: summarize(histograms),
    generator: generator(),
  };
}
