import { createHistogram, frame, openChannel, percentile, record, type Histogram } from '#libs/bench';

/** So many calls a second, whether or not the server keeps up. */
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
}

const connections = 8;
const tickMs = 5;

function summarize(histograms: ReadonlyMap<number, { latencies: Histogram; count: number }>): Offered['byStatus'] {
  const entries = [...histograms].map(([status, { latencies, count }]) => [status, { count, p50Ms: percentile(latencies, 0.5), p99Ms: percentile(latencies, 0.99) }] as const);
  return Object.fromEntries(entries);
}

/** Resolves when every call has been answered. */
export async function offer({ address, path, message, headers, ratePerSecond, durationMs }: Offer): Promise<Offered> {
  const channels = await Promise.all(Array.from({ length: connections }, async () => openChannel(address)));
  const body = frame(message);
  const histograms = new Map<number, { latencies: Histogram; count: number }>();
  const began = performance.now();
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
  return { sent, ratePerSecond: sent / (durationMs / 1000), elapsedMs, byStatus: summarize(histograms) };
}
