import type { Server } from '@grpc/grpc-js';
import { HealthImplementation, type ServingStatus } from 'grpc-health-check';
import type { Logger } from '#libs/runtime';

export interface HealthOptions {
  /** Full names of the services; all have the same status, as does the server as a whole (""). */
  services: readonly string[];
  checks: Readonly<Record<string, () => Promise<void>>>;
  logger: Logger;
}

export interface Health {
  /** Begins to run the checks. */
  start(): void;
  setServing(serving: boolean): void;
  isServing(): boolean;
  /** Says NOT_SERVING from now on. */
  stop(): void;
}

/** Asked by name, it says SERVING as long as the process answers: for a probe that restarts what no longer does. */
const liveness = 'liveness';
const intervalMs = 1000;
/** Until all is well for the first time: what a new process waits for comes within moments, and clients wait for it. */
const startIntervalMs = 100;
const checkLimitMs = 1000;

async function runCheck(check: () => Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${checkLimitMs} ms`)), checkLimitMs).unref();
  });
  try {
    await Promise.race([check(), limit]);
  } finally {
    clearTimeout(timer);
  }
}

/** What is wrong, by the name of the check; empty when all is well. */
async function findFailures(checks: HealthOptions['checks']): Promise<Record<string, string>> {
  const results = await Promise.all(
    Object.entries(checks).map(async ([name, check]) => {
      try {
        await runCheck(check);
        return [];
      } catch (error) {
        return [[name, error instanceof Error ? error.message : String(error)] as const];
      }
    }),
  );
  return Object.fromEntries(results.flat());
}

/** Adds grpc.health.v1 to a server that does not listen yet, and keeps its status true: NOT_SERVING until all checks have passed once. */
export function createHealth(server: Server, { services, checks, logger }: HealthOptions): Health {
  const names = ['', ...services];
  const health = new HealthImplementation({
    ...Object.fromEntries(names.map((name) => [name, 'NOT_SERVING' as ServingStatus])),
    [liveness]: 'SERVING',
  });
  health.addToServer(server);
  let wanted = true;
  let healthy = false;
  let wasHealthy = false;
  let serving = false;
  let stopped = false;
  let timer: NodeJS.Timeout | undefined;

  const publish = (failures: Record<string, string> = {}): void => {
    const now = wanted && healthy;
    if (now === serving) return;
    serving = now;
    for (const name of names) health.setStatus(name, serving ? 'SERVING' : 'NOT_SERVING');
    if (serving || !wanted) logger.info({ serving }, 'health changed');
    else logger.warn({ serving, failures }, 'health changed');
  };
  const round = async (): Promise<void> => {
    const startedAt = Date.now();
    const failures = await findFailures(checks);
    healthy = Object.keys(failures).length === 0;
    wasHealthy ||= healthy;
    publish(failures);
    const nextAt = startedAt + (wasHealthy ? intervalMs : startIntervalMs);
    if (!stopped) timer = setTimeout(() => void round(), Math.max(0, nextAt - Date.now()));
  };
  const setServing = (value: boolean): void => {
    wanted = value && !stopped;
    publish();
  };
  const stop = (): void => {
    stopped = true;
    clearTimeout(timer);
    setServing(false);
  };
  return { start: () => void round(), setServing, isServing: () => serving, stop };
}
