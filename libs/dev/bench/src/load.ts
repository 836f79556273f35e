import { createHistogram, mergeHistograms, type Histogram } from './histogram.ts';

/** One call to be made: the encoded message, and the metadata it is sent with. */
export interface LoadRequest {
  readonly message: Uint8Array;
  readonly headers: Readonly<Record<string, string>>;
}

export interface Load {
  /** host:port of each server; connections are spread over them. */
  readonly addresses: readonly string[];
  readonly path: string;
  /** Sent one after the other, and from the beginning again unless `once`. */
  readonly requests: readonly LoadRequest[];
  /** Each request may be sent only once: the load ends early when none is left. */
  readonly once?: boolean;
  readonly inFlight: number;
  /** Ends after this time and this number of calls, but at the latest after ten times the time and one call. */
  readonly durationMs: number;
  readonly minCalls?: number | undefined;
  readonly maxCalls?: number | undefined;
}

/** What a load came to. A call that did not end with OK is a failure; its time counts nowhere. */
export interface LoadResult {
  readonly calls: number;
  readonly failures: number;
  /** Failures by grpc-status. */
  readonly statuses: Readonly<Record<string, number>>;
  readonly firstFailure: string;
  readonly sizeBytes: number;
  readonly latencies: Histogram;
  readonly elapsedMs: number;
  /** Of all load generators. */
  readonly cpuMs: number;
  readonly generators: number;
}

export function mergeResults(results: readonly LoadResult[]): LoadResult {
  const sum = (pick: (result: LoadResult) => number): number =>
    results.reduce((total, result) => total + pick(result), 0);
  const statuses: Record<string, number> = {};
  for (const result of results)
    for (const [status, count] of Object.entries(result.statuses)) statuses[status] = (statuses[status] ?? 0) + count;
  return {
    calls: sum((result) => result.calls),
    failures: sum((result) => result.failures),
    statuses,
    firstFailure: results.find((result) => result.failures > 0)?.firstFailure ?? '',
    sizeBytes: sum((result) => result.sizeBytes),
    latencies: results.length === 0 ? createHistogram() : mergeHistograms(results.map((result) => result.latencies)),
    elapsedMs: Math.max(0, ...results.map((result) => result.elapsedMs)),
    cpuMs: sum((result) => result.cpuMs),
    generators: sum((result) => result.generators),
  };
}
