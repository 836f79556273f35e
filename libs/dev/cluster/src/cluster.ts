import { randomBytes } from 'node:crypto';
import { existsSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { openClientCertificates, type Certificates } from '#libs/runtime';
import { prepareDatabases } from './cluster-databases.ts';
import type { ClusterOptions } from './cluster-options.ts';
import {
  addressOf,
  resolveClusterSettings,
  targetOf,
  type Admin,
  type ClusterSettings,
  type Replica,
} from './cluster-settings.ts';
import { openGuard, type Guard } from './guard.ts';
import { makePrivateFolder } from './instance.ts';
import { readLog } from './log-file.ts';
import { programOf } from './program.ts';
import { rejectAfterAll } from './reject-after-all.ts';
import type { ProcessName, ServiceName } from './service-names.ts';
import { ServiceProcess } from './service-process.ts';

/** Running services. `replica` counts from 0. The caller stops them. */
export interface Cluster {
  readonly admin: Admin;
  readonly redisUrl: string;
  readonly dir: string;
  /** Where mails are written to; undefined when they are not. */
  readonly mailFolder: string | undefined;
  /** The settings by which programs call it by TLS; empty in plaintext. */
  readonly clientEnv: Readonly<Record<string, string>>;
  /** What a client in this process needs for that. */
  readonly certificates: Certificates | undefined;
  /** Names of the processes: `tasks`, `tasks-2`, … */
  readonly labels: readonly string[];
  /** host:port of the port for calls. */
  address(service: ProcessName, replica?: number): string;
  /** The gRPC target of all replicas of a service. */
  target(service: ProcessName): string;
  /** http://host:port of /metrics, /livez and /readyz. */
  httpAddress(service: ProcessName, replica?: number): string;
  /** The page of its metrics. */
  metrics(service: ProcessName, replica?: number): Promise<string>;
  databaseUrl(service: ServiceName): string;
  /** undefined while it does not run. */
  pid(service: ProcessName, replica?: number): number | undefined;
  logFile(service: ProcessName, replica?: number): string;
  /** What the service has logged so far. */
  logs(service: ProcessName, replica?: number): string;
  /** Sends the signal and waits for the end (not for SIGSTOP and SIGCONT). */
  kill(service: ProcessName, signal: NodeJS.Signals, replica?: number): Promise<void>;
  /** Starts it again on the same ports, and waits until it is SERVING. */
  start(service: ProcessName, replica?: number): Promise<void>;
  /** Lets it drain, then starts it again. */
  restart(service: ProcessName, replica?: number): Promise<void>;
  stop(): Promise<void>;
}

/** Provisions, migrates and starts the services in no particular order; resolves when every one is SERVING. */
export async function startCluster(given: ClusterOptions): Promise<Cluster> {
  const options = withNamespace(given);
  const temporary = options.dir === undefined;
  const dir = options.dir ?? mkdtempSync(join(process.env['TASKFLOW_TEST_DIR'] ?? tmpdir(), 'taskflow-cluster-'));
  makePrivateFolder(join(dir, 'logs'));
  const guard = options.guard ?? openGuard(dir, temporary);
  const finish = async (): Promise<void> => {
    if (options.guard === undefined) await guard.close();
    if (temporary) removeFolder(dir);
  };
  try {
    const settings = await resolveClusterSettings(options, dir);
    await prepareDatabases({ options, settings, dir });
    const certificates = openClientCertificates({ ...settings.clientEnv });
    const processes = await Promise.all(
      settings.replicas.map(async (replica) => toProcess(replica, { options, guard, dir, certificates })),
    );
    await startAll(processes, options);
    return assemble({ settings, processes, dir, certificates, finish });
  } catch (error) {
    await finish();
    throw error;
  }
}

/** A test run wants to look at the logs when a test has failed. */
function removeFolder(dir: string): void {
  const testDir = process.env['TASKFLOW_TEST_DIR'];
  if (testDir !== undefined && existsSync(dir))
    renameSync(join(dir, 'logs'), join(makePrivateFolder(join(testDir, 'logs')), basename(dir)));
  rmSync(dir, { recursive: true, force: true, maxRetries: 5 });
}

/** Clusters on free ports are many by nature; one on the default ports is the only one and keeps its names. */
function withNamespace(options: ClusterOptions): ClusterOptions {
  if (options.namespace !== undefined || options.ports === 'default') return options;
  return { ...options, namespace: randomBytes(4).toString('hex') };
}

async function toProcess(
  replica: Replica,
  {
    options,
    guard,
    dir,
    certificates,
  }: Pick<Parts, 'dir' | 'certificates'> & { options: ClusterOptions; guard: Guard },
): Promise<ServiceProcess> {
  const service = new ServiceProcess({
    label: replica.label,
    program: await programOf(`services/${replica.service}/src/main.ts`, options),
    env: replica.env,
    logFile: join(dir, 'logs', `${replica.label}.log`),
    guard,
    certificates,
    report: options.report,
  });
  service.onLoss = (how) => options.onLoss?.(replica.label, how);
  return service;
}

async function startAll(processes: readonly ServiceProcess[], options: ClusterOptions): Promise<void> {
  options.signal?.throwIfAborted();
  options.report?.('starting the services');
  const starts = processes.map(async (service) => {
    await service.start();
    options.report?.(`${service.options.label} is SERVING`);
  });
  try {
    await orAborted(Promise.all(starts), options.signal);
  } catch (error) {
    await stopAll(processes);
    // A process may have been spawned while the others were stopped.
    await Promise.allSettled(starts);
    await stopAll(processes);
    throw error;
  }
}

async function orAborted(work: Promise<unknown>, signal: AbortSignal | undefined): Promise<void> {
  if (signal === undefined) return void (await work);
  const aborted = new Promise<never>((_resolve, reject) => {
    signal.addEventListener('abort', () => reject(new Error(`broken off: ${String(signal.reason)}`)), { once: true });
  });
  await Promise.race([work, aborted]);
}

async function stopAll(processes: readonly ServiceProcess[]): Promise<void> {
  await rejectAfterAll(processes.map(async (service) => service.stop()));
}

interface Parts {
  readonly settings: ClusterSettings;
  readonly processes: readonly ServiceProcess[];
  readonly dir: string;
  readonly certificates: Certificates | undefined;
  readonly finish: () => Promise<void>;
}

function assemble({ settings, processes, dir, certificates, finish }: Parts): Cluster {
  const at = (service: ProcessName, replica = 0): { replica: Replica; process: ServiceProcess } => {
    const label = replica === 0 ? service : `${service}-${replica + 1}`;
    const index = settings.replicas.findIndex((entry) => entry.label === label);
    if (index < 0) throw new Error(`this cluster has no ${label}`);
    return { replica: settings.replicas[index] as Replica, process: processes[index] as ServiceProcess };
  };
  const httpAddress: Cluster['httpAddress'] = (service, replica) =>
    `http://127.0.0.1:${at(service, replica).replica.httpPort}`;
  let stopped: Promise<void> | undefined;
  return {
    admin: settings.admin,
    redisUrl: settings.redisUrl,
    dir,
    mailFolder: settings.mailFolder,
    clientEnv: settings.clientEnv,
    certificates,
    labels: settings.replicas.map((replica) => replica.label),
    address: (service, replica) => addressOf(at(service, replica).replica),
    target: (service) => targetOf(settings.replicas.filter((replica) => replica.service === service).map(addressOf)),
    httpAddress,
    metrics: async (service, replica) => (await fetch(`${httpAddress(service, replica)}/metrics`)).text(),
    databaseUrl: (service) => settings.databaseUrls[service],
    pid: (service, replica) => at(service, replica).process.pid,
    logFile: (service, replica) => at(service, replica).process.options.logFile,
    logs: (service, replica) => readLog(at(service, replica).process.options.logFile),
    kill: async (service, signal, replica) => at(service, replica).process.kill(signal),
    start: async (service, replica) => at(service, replica).process.start(),
    restart: async (service, replica) => {
      await at(service, replica).process.stop();
      await at(service, replica).process.start();
    },
    stop: async () =>
      (stopped ??= stopAll(processes).finally(() => {
        certificates?.stop();
        return finish();
      })),
  };
}
