/** The image's HEALTHCHECK: exits 0 when the service inside this container answers ready. */
import { get } from 'node:http';

const defaultPorts: Record<string, number> = { auth: 9465, users: 9466, tasks: 9467, scheduler: 9468 };
const timeoutMs = 2500;

const service = process.env['SERVICE'] ?? '';
const port = process.env[`TASKFLOW_${service.toUpperCase()}_HTTP_PORT`] ?? defaultPorts[service];

const request = get({ host: '127.0.0.1', port, path: '/readyz', timeout: timeoutMs }, (response) => {
  process.exit(response.statusCode === 200 ? 0 : 1);
});
request.on('timeout', () => request.destroy(new Error(`no answer within ${String(timeoutMs)} ms`)));
request.on('error', () => process.exit(1));
