// .ci/checks/browser: the packed client in a page under a strict content security policy, in Chromium, at a gateway.
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { chromium, type Browser } from 'playwright-core';
import { createTaskFlow } from '#client/node';
import { startCluster, startInfrastructure, waitUntil } from '#dev/cluster';
import { createPackedProject } from '../packed-project.ts';

const account = { email: 'ada@example.com', password: 'a long passphrase' };
const madeElsewhere = { title: 'made elsewhere' };

/** What the page has to see. */
const expected = [
  'listed: made in the page',
  'refused: INVALID_ARGUMENT INVALID_FIELD task.title',
  'renewed',
  'watching',
  'watched: made elsewhere',
  'done',
];

/** The browser's own line about the call that the page has refused on purpose. */
const isExpected = (line: string): boolean => /^Failed to load resource: .* 400 \(/.test(line);

/** Serves the pages, each with its script, and hears from the browser what the policy forbade. */
async function servePages(folder: string) {
  const reports: string[] = [];
  const place = { gateway: '' };
  const server = createServer((request, response) => {
    const [, name = '', ending = ''] = /^\/(\w+)\.(html|js|csp)$/.exec(request.url ?? '') ?? [];
    if (ending === 'csp') request.on('data', (part: Buffer) => reports.push(`forbidden: ${part.toString()}`));
    if (ending === 'js')
      return response.setHeader('content-type', 'text/javascript').end(readFileSync(join(folder, `${name}.js`)));
    const policy = `default-src 'none'; script-src 'self'; connect-src ${place.gateway}; report-uri /report.csp`;
    return response
      .setHeader('content-security-policy', `${policy}; require-trusted-types-for 'script'`)
      .setHeader('content-type', 'text/html')
      .end(`<!doctype html><title>${name}</title><script type="module" src="/${name}.js"></script>`);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { origin, reports, place, close: () => void server.close() };
}

/** The lines of a page, and what the browser found wrong with it. */
async function visit(browser: Browser, url: string, onLine: (line: string) => Promise<unknown>) {
  const lines: string[] = [];
  const faults: string[] = [];
  const context = await browser.newContext();
  const page = await context.newPage();
  page.on('pageerror', (error) => faults.push(`uncaught: ${error.message}`));
  page.on('console', (message) => {
    if (message.type() === 'info') {
      lines.push(message.text());
      onLine(message.text()).catch((error: unknown) => faults.push(String(error)));
    } else if (!isExpected(message.text())) faults.push(`${message.type()}: ${message.text()}`);
  });
  await page.goto(url);
  await waitUntil(() => lines.includes('done') || faults.length > 0);
  await context.close();
  return { lines, faults };
}

/** The script of the page, as a foreign project has it. */
const pageSource = (gateway: string): string =>
  readFileSync(new URL('page.ts', import.meta.url), 'utf8')
    .replaceAll("'#client/index'", "'@taskflow/client'")
    .replaceAll("'#client/", "'@taskflow/client/")
    .replaceAll('http://localhost:8080', gateway);

async function run(parts: AsyncDisposableStack): Promise<void> {
  const infrastructure = await startInfrastructure();
  parts.defer(() => infrastructure.stop());
  const project = await createPackedProject();
  parts.defer(() => project.remove());
  const pages = await servePages(project.folder);
  parts.defer(pages.close);
  const cluster = await startCluster({
    postgresAdminUrl: infrastructure.postgresAdminUrl,
    redisUrl: infrastructure.redisUrl,
    ports: 'free',
    services: ['auth', 'users', 'tasks', 'gateway'],
    serviceEnv: { gateway: { TASKFLOW_GATEWAY_CORS_ORIGINS: pages.origin } },
  });
  parts.defer(() => cluster.stop());
  pages.place.gateway = `http://${cluster.address('gateway')}`;
  const taskflow = createTaskFlow({ address: pages.place.gateway, credentials: { account } });
  parts.defer(() => taskflow.close());
  const asRoot = process.getuid?.() === 0 ? ['--no-sandbox'] : [];
  const browser = await chromium.launch({ executablePath: process.env['CHROMIUM'] ?? '', args: asRoot });
  parts.defer(() => browser.close());

  await taskflow.auth.register({ ...account, displayName: 'Ada' });
  await waitUntil(() => taskflow.users.getMe({}).catch(() => undefined));
  await project.bundle('page', pageSource(pages.place.gateway));
  const { lines, faults } = await visit(browser, `${pages.origin}/page.html`, async (line) => {
    if (line === 'watching') await taskflow.tasks.createTask({ task: madeElsewhere });
  });
  const wrong = [...faults, ...pages.reports];
  if (!isDeepStrictEqual(lines, expected) || wrong.length > 0)
    throw new Error(`the page saw\n  ${lines.join('\n  ')}\nwrong:\n  ${wrong.join('\n  ')}`);

  // The check would notice: a page that breaks the policy is reported, although it catches the error.
  await project.bundle('evaluating', `try { eval('1'); } catch {} console.info('done');`);
  await visit(browser, `${pages.origin}/evaluating.html`, async () => undefined);
  await waitUntil(() => pages.reports.some((report) => report.includes('evaluating.html')));
  console.log(`Chromium ${browser.version()}: ${lines.length} lines, nothing forbidden; eval in a page is reported`);
}

await using parts = new AsyncDisposableStack();
await run(parts);
