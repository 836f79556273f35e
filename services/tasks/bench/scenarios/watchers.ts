// Watching clients, which fan-out.ts starts in a separate process.
import { WatchTasksRequest, WatchTasksResponse } from '#contract/tasks/v1/tasks';
import { createHistogram, frame, openChannel, record, runWorker, type Channel, type Histogram } from '#dev/bench';

export interface WatchOrder {
  address: string;
  path: string;
  /** The metadata of each stream. */
  streams: readonly Readonly<Record<string, string>>[];
}

export interface WatchReport {
  /** Streams that have sent their first message. */
  begun: number;
  /** Streams that have ended, with the first one's status. */
  ended: number;
  firstEnd: string;
  events: number;
  /** Events that a stream sent more than once. */
  repeated: number;
  /** From the create_time of an event to its arrival here. */
  latencies: Histogram;
}

const streamsPerConnection = 50;
const channels: Channel[] = [];
const report: WatchReport = { begun: 0, ended: 0, firstEnd: '', events: 0, repeated: 0, latencies: createHistogram() };

/** Cuts a stream's bytes into its messages. */
function cutter(take: (message: Buffer) => void): (piece: Buffer) => void {
  let rest: Buffer = Buffer.alloc(0);
  return (piece) => {
    rest = rest.length === 0 ? piece : Buffer.concat([rest, piece]);
    while (rest.length >= 5 && rest.length >= 5 + rest.readUInt32BE(1)) {
      const end = 5 + rest.readUInt32BE(1);
      take(rest.subarray(5, end));
      rest = rest.subarray(end);
    }
  };
}

function watch(channel: Channel, path: string, headers: Readonly<Record<string, string>>): void {
  const seen = new Set<string>();
  let hasBegun = false;
  const onData = cutter((message) => {
    const { event } = WatchTasksResponse.decode(message);
    if (!hasBegun) report.begun += 1;
    hasBegun = true;
    if (event === undefined) return;
    const key = `${event.streamId} ${event.sequence}`;
    if (seen.has(key)) report.repeated += 1;
    seen.add(key);
    report.events += 1;
    record(report.latencies, Math.max(0.001, Date.now() - (event.createTime?.getTime() ?? 0)));
  });
  channel.call(
    path,
    frame(WatchTasksRequest.encode(WatchTasksRequest.fromPartial({})).finish()),
    { headers: { ...headers, 'grpc-timeout': '200S' }, onData },
    ({ status, message }) => {
      report.ended += 1;
      if (report.firstEnd === '') report.firstEnd = `status ${status}: ${message}`;
    },
  );
}

runWorker({
  watch: async ({ address, path, streams }: WatchOrder) => {
    for (const [index, headers] of streams.entries()) {
      if (index % streamsPerConnection === 0) channels.push(await openChannel(address));
      watch(channels.at(-1) as Channel, path, headers);
    }
  },
  report: () => report,
});
