import { backoffMs, sleep } from '#libs/runtime';
import type { Cluster } from './cluster.ts';
import { isRunning, refOf } from './processes.ts';
import { processNames, type ProcessName } from './service-names.ts';

export interface SupervisorOptions {
  readonly report: (line: string) => void;
  /** Aborted when the cluster is to stop: nothing is started again after that. */
  readonly signal: AbortSignal;
}

const backoff = { firstMs: 2_000, maxMs: 30_000 };

/** Restarts services that ended by themselves: after one to two seconds, then later each time, up to half a minute. */
export class Supervisor {
  readonly #options: SupervisorOptions;
  readonly #failures = new Map<ProcessName, number>();
  #cluster: Cluster | undefined;

  constructor(options: SupervisorOptions) {
    this.#options = options;
  }

  watch(cluster: Cluster): void {
    this.#cluster = cluster;
  }

  /** Call it when a service was lost. */
  onLoss(label: string, how: string): void {
    const service = processNames.find((name) => name === label);
    if (service === undefined || this.#cluster === undefined || this.#options.signal.aborted) return;
    this.#options.report(`${label} ended unexpectedly (${how}); its log: ${this.#cluster.logFile(service)}`);
    void this.#startAgain(service, this.#cluster);
  }

  async #startAgain(service: ProcessName, cluster: Cluster): Promise<void> {
    const { report, signal } = this.#options;
    while (!signal.aborted) {
      const failures = (this.#failures.get(service) ?? 0) + 1;
      this.#failures.set(service, failures);
      const waitMs = backoffMs(backoff, failures);
      report(`${service} is started again in ${(waitMs / 1000).toFixed(1)} s`);
      await sleep(waitMs, signal);
      if (signal.aborted) return;
      try {
        await cluster.start(service);
        report(`${service} is SERVING again`);
        this.#forgiveLater(service, cluster.pid(service));
        return;
      } catch (error) {
        report((error as Error).message);
      }
    }
  }

  /** After a minute of running, the next wait is short again. */
  #forgiveLater(service: ProcessName, pid: number | undefined): void {
    if (pid === undefined) return;
    const ref = refOf(pid);
    setTimeout(() => {
      if (isRunning(ref)) this.#failures.delete(service);
    }, 60_000).unref();
  }
}
