/**
 * Exits 0 when the service inside this container is healthy. `live`, the image's HEALTHCHECK, asks whether the process
 * answers, so that no orchestrator replaces it while its database is away. `ready` asks whether it takes calls.
 */
import { get } from 'node:http';

const defaultPorts: Record<string, number> = { auth: 9465, users: 9466, tasks: 9467, scheduler: 9468, gateway: 9469 };
const paths: Record<string, string> = { live: '/livez', ready: '/readyz' };
const timeoutMs = 2500;

const service = process.env['SERVICE'] ?? '';
const port = process.env[`TASKFLOW_${service.toUpperCase()}_HTTP_PORT`] ?? defaultPorts[service];

const path = paths[process.argv[2] ?? 'live'];
if (path === undefined) {
  process.stderr.write('usage: healthcheck.ts [live|ready]\n');
  process.exit(64);
}

const request = get({ host: '127.0.0.1', port, path, timeout: timeoutMs }, (response) => {
  process.exit(response.statusCode === 200 ? 0 : 1);
});
request.on('timeout', () => request.destroy(new Error(`no answer within ${String(timeoutMs)} ms`)));
request.on('error', () => process.exit(1));
