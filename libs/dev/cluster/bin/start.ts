// npm start [-- --no-demo --tls]: the whole cluster on this machine, until Ctrl-C.
import { randomUUID } from 'node:crypto';
import type { Account } from '#client/index';
import { startCluster, type Cluster } from '../src/cluster.ts';
import { startConsoleReport } from '../src/console-report.ts';
import { startInfrastructure, type Infrastructure } from '../src/infrastructure.ts';
import { processNames } from '../src/service-names.ts';
import { listenForShutdown } from '../src/shutdown-signal.ts';
import { checkServicePorts, readStartSettings, type StartSettings } from '../src/start-settings.ts';
import { Supervisor } from '../src/supervisor.ts';
import { welcomeText } from '../src/welcome.ts';

const report = startConsoleReport();
const shutdown = listenForShutdown();
const { signal } = shutdown;
// A terminal that is closed must not break the draining off.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined);

try {
  await run(readStartSettings(process.argv.slice(2), process.env));
} catch (error) {
  if (!signal.aborted) process.stderr.write(`${(error as Error).message}\n`);
  process.exitCode = signal.aborted ? 130 : 1;
}
// All is stopped; a demonstration that was broken off, or the channel to boot.mjs, would keep this process alive.
process.exit();

async function run(settings: StartSettings): Promise<void> {
  const infrastructure = await report.step('PostgreSQL and Redis', async () => startServers(settings));
  let cluster: Cluster | undefined;
  try {
    signal.throwIfAborted();
    cluster = await report.step('the services and the gateway', async () => startServices(settings, infrastructure));
    const account = settings.demonstrate ? newAccount() : undefined;
    process.stdout.write(`${welcomeText(cluster, account)}\n`);
    if (account !== undefined) await demonstrate(cluster, account);
    report.line('Ctrl-C stops everything');
    await untilShutdown();
  } finally {
    await stopEverything(cluster, infrastructure);
  }
}

async function startServers({ databaseUrls, postgresAdminUrl, redisUrl, env }: StartSettings): Promise<Infrastructure> {
  return startInfrastructure({
    name: 'start',
    postgresUrl: postgresAdminUrl,
    withoutPostgres: databaseUrls !== undefined,
    redisUrl,
    report: report.line,
    beforeStart: async () => checkServicePorts(env),
  });
}

async function startServices(
  { databaseUrls, env, tls }: StartSettings,
  infrastructure: Infrastructure,
): Promise<Cluster> {
  const supervisor = new Supervisor({ report: report.line, signal });
  const cluster = await startCluster({
    ports: 'default',
    services: processNames,
    dir: infrastructure.dir,
    postgresAdminUrl: infrastructure.postgresAdminUrl,
    redisUrl: infrastructure.redisUrl,
    ...(databaseUrls === undefined ? {} : { databaseUrls }),
    env,
    tls: tls ? 'mutual' : undefined,
    guard: infrastructure.guard,
    signal,
    report: report.line,
    onLoss: (label, how) => supervisor.onLoss(label, how),
  });
  supervisor.watch(cluster);
  return cluster;
}

/** Another one at each start, so that the demonstration is the same each time. */
function newAccount(): Account {
  return { email: `ann-${randomUUID().slice(0, 8)}@example.com`, password: randomUUID() };
}

/** The cluster stays up when the demonstration fails, so that one can look. */
async function demonstrate(cluster: Cluster, account: Account): Promise<void> {
  try {
    const { runDemonstration } = await import('../../../../services/tasks/demonstration/demonstration.ts');
    const demonstration = runDemonstration(cluster, { account, report: report.line });
    await report.step('demonstration', async () => orShutdown(demonstration));
  } catch (error) {
    if (!signal.aborted) report.line(`the demonstration failed: ${(error as Error).message}`);
  }
}

/** Ctrl-C does not wait for the end of the demonstration. */
async function orShutdown(work: Promise<unknown>): Promise<void> {
  const stopped = untilShutdown();
  await Promise.race([work, stopped]);
}

async function untilShutdown(): Promise<void> {
  if (signal.aborted) return;
  // A promise alone does not keep the process alive, and without boot.mjs nothing else might.
  const alive = setInterval(() => undefined, 60_000);
  await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
  clearInterval(alive);
}

async function stopEverything(cluster: Cluster | undefined, infrastructure: Infrastructure): Promise<void> {
  if (cluster !== undefined) {
    const running = cluster;
    shutdown.onAgain(() => {
      report.line('not waiting any longer: killing the services');
      for (const service of processNames)
        if (running.pid(service) !== undefined) running.kill(service, 'SIGKILL').catch(() => undefined);
    });
    await report.step('letting the services drain', async () => running.stop());
  }
  await report.step('stopping Redis and PostgreSQL', async () => infrastructure.stop());
}
