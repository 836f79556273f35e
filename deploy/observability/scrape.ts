/**
 * Writes what the services measure, for promtool: starts a cluster of its own, plays the demonstration, and writes each
 * service's /metrics to DIRECTORY/<service>.prom.
 *
 *   node deploy/observability/scrape.ts DIRECTORY
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { processNames, startCluster, startInfrastructure } from '#dev/cluster';
import { runDemonstration } from '../../services/tasks/demonstration/demonstration.ts';

const [, , directory] = process.argv;
if (directory === undefined) {
  process.stderr.write('usage: scrape.ts DIRECTORY\n');
  process.exit(64);
}

const infrastructure = await startInfrastructure({});
const { postgresAdminUrl, redisUrl } = infrastructure;
const cluster = await startCluster({
  postgresAdminUrl,
  redisUrl,
  ports: 'free',
  services: processNames,
  env: { TASKFLOW_SCHEDULER_SWEEP_INTERVAL_MS: '1000' },
});
try {
  await runDemonstration(cluster);
  for (const service of processNames) {
    const response = await fetch(`${cluster.httpAddress(service)}/metrics`);
    writeFileSync(join(directory, `${service}.prom`), await response.text());
  }
} finally {
  await cluster.stop();
  await infrastructure.stop();
}
process.exit();
