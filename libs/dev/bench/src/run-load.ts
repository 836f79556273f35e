import { frame, openChannel, type Channel, type Outcome } from './channel.ts';
import { createHistogram, record } from './histogram.ts';
import type { Load, LoadResult } from './load.ts';

const maxConnections = 4;

interface Tally {
  calls: number;
  failures: number;
  statuses: Record<string, number>;
  firstFailure: string;
  sizeBytes: number;
}

function count(tally: Tally, { status, message, sizeBytes }: Outcome): void {
  tally.calls += 1;
  tally.sizeBytes += sizeBytes;
  if (status === 0) return;
  tally.failures += 1;
  tally.statuses[status] = (tally.statuses[status] ?? 0) + 1;
  if (tally.firstFailure === '') tally.firstFailure = `status ${status}: ${message}`;
}

/** How much longer than asked for a load may last to reach its calls. */
const longestFactor = 10;

function isOver({ durationMs, minCalls = 0 }: Load, elapsedMs: number, sent: number): boolean {
  return sent > 0 && elapsedMs >= durationMs && (sent >= minCalls || elapsedMs >= longestFactor * durationMs);
}

/** Keeps `inFlight` calls under way, each followed by the next at once, until the time is over; then waits for the last of them. */
export async function runLoad(load: Load): Promise<LoadResult> {
  const places = Math.max(load.addresses.length, Math.min(load.inFlight, maxConnections));
  const channels = await Promise.all(
    Array.from({ length: places }, async (_, index) =>
      openChannel(load.addresses[index % load.addresses.length] ?? ''),
    ),
  );
  const requests = load.requests.map(({ message, headers }) => ({ body: frame(message), headers }));
  const tally: Tally = { calls: 0, failures: 0, statuses: {}, firstFailure: '', sizeBytes: 0 };
  const latencies = createHistogram();
  const cpuBefore = process.cpuUsage();
  const began = performance.now();
  const limit = Math.min(load.once === true ? requests.length : Infinity, load.maxCalls ?? Infinity);
  let sent = 0;

  const keepCalling = async (channel: Channel): Promise<void> =>
    new Promise((resolve) => {
      const next = (): void => {
        const request = requests[sent % requests.length];
        if (request === undefined || sent >= limit || isOver(load, performance.now() - began, sent)) return resolve();
        sent += 1;
        const sentAt = performance.now();
        channel.call(load.path, request.body, request, (outcome) => {
          count(tally, outcome);
          if (outcome.status === 0) record(latencies, performance.now() - sentAt);
          next();
        });
      };
      next();
    });

  await Promise.all(
    Array.from({ length: load.inFlight }, async (_, index) => keepCalling(channels[index % places] as Channel)),
  );
  const elapsedMs = performance.now() - began;
  const { user, system } = process.cpuUsage(cpuBefore);
  channels.forEach((channel) => channel.close());
  return { ...tally, latencies, elapsedMs, cpuMs: (user + system) / 1000, generators: 1 };
}
