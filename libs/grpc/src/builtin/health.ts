import { status as Code, type Server } from '@grpc/grpc-js';
import { settlesWithin, type Logger } from '#libs/runtime';
import {
  HealthCheckResponse_ServingStatus as ServingStatus,
  HealthService,
  type HealthServer,
} from '../../../contract/src/gen/grpc/health/v1/health.ts';

export interface HealthOptions {
  /** Full names of the services. All of them, and the server as a whole (""), have the same status. */
  services: readonly string[];
  /** The server is SERVING while all of them resolve. They run every second, for at most a second. */
  checks: Readonly<Record<string, () => Promise<void>>>;
  logger: Logger;
}

export interface Health {
  /** Starts the checks. */
  start(): void;
  /** false: health answers NOT_SERVING whatever the checks say. true: the checks decide. */
  setServing(serving: boolean): void;
  /** The current status. */
  isServing(): boolean;
  /** Answers NOT_SERVING from now on. */
  stop(): void;
}

/** A service name that is SERVING while the process answers, for probes that restart a process. */
const liveness = 'liveness';
const intervalMs = 1000;
/** Until all checks have passed once. Clients wait for a new process, so its first success must be noticed soon. */
const startIntervalMs = 100;
const checkLimitMs = 1000;

async function runCheck(check: () => Promise<void>): Promise<void> {
  const checked = check();
  if (!(await settlesWithin(checked, checkLimitMs))) throw new Error(`no answer within ${checkLimitMs} ms`);
  await checked;
}

/** The error messages of the failed checks, by name. */
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

/** Adds grpc.health.v1 with these statuses. The returned function changes a status and sends it to the watchers. */
function serveStatuses(
  server: Server,
  statuses: Map<string, ServingStatus>,
): (name: string, status: ServingStatus) => void {
  const watchers = new Set<(changed: string) => void>();
  const health: HealthServer = {
    check: ({ request: { service } }, callback) => {
      const status = statuses.get(service);
      if (status !== undefined) callback(null, { status });
      else callback({ code: Code.NOT_FOUND, details: 'the server has no such service' });
    },
    list: (_call, callback) =>
      callback(null, { statuses: Object.fromEntries([...statuses].map(([name, status]) => [name, { status }])) }),
    watch: (call) => {
      const { service } = call.request;
      const look = (changed: string): void => {
        if (changed === service) call.write({ status: statuses.get(service) ?? ServingStatus.SERVICE_UNKNOWN });
      };
      watchers.add(look);
      call.once('cancelled', () => watchers.delete(look));
      look(service);
    },
  };
  server.addService(HealthService, health);
  return (name, status) => {
    statuses.set(name, status);
    for (const look of watchers) look(name);
  };
}

/** Adds grpc.health.v1 to a server that does not listen yet. It answers NOT_SERVING until all checks pass. */
export function createHealth(server: Server, { services, checks, logger }: HealthOptions): Health {
  const names = ['', ...services];
  const statuses = new Map<string, ServingStatus>(names.map((name) => [name, ServingStatus.NOT_SERVING]));
  statuses.set(liveness, ServingStatus.SERVING);
  const publishStatus = serveStatuses(server, statuses);
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
    for (const name of names) publishStatus(name, serving ? ServingStatus.SERVING : ServingStatus.NOT_SERVING);
    if (serving || !wanted) logger.info({ serving }, 'health changed');
    else logger.warn({ serving, failures }, 'health changed');
  };
  const round = async (): Promise<void> => {
    const startedAt = performance.now();
    const failures = await findFailures(checks);
    healthy = Object.keys(failures).length === 0;
    wasHealthy ||= healthy;
    publish(failures);
    const nextAt = startedAt + (wasHealthy ? intervalMs : startIntervalMs);
    if (!stopped) timer = setTimeout(() => void round(), Math.max(0, nextAt - performance.now()));
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
