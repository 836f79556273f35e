// People and an administrator use the console of a whole cluster, in the Chromium that CHROMIUM names.
import { ok } from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { chromium, type Browser } from 'playwright-core';
import { inBatches } from '#client/index';
import { createTaskFlow } from '#client/node';
import { startCluster, startInfrastructure, waitUntil, type Cluster } from '#dev/cluster';
import { settle, visit, type Visitor } from './browser-page.ts';
import { checkFirstView } from './first-view.ts';
import { adminsViews, inspectViews, personsViews, picturesFolder, signedOutViews } from './views.ts';
import { walkProject } from './walk-project.ts';
import {
  checkSecrets,
  register,
  row,
  signIn,
  walkBoard,
  walkByKeys,
  walkOffline,
  walkOut,
  walkTogether,
  type Account,
} from './walks.ts';

const password = 'a long passphrase';
const ada: Account = { name: 'Ada Lovelace', email: 'ada@example.com', password };
const grace: Account = { name: 'Grace Hopper', email: 'grace@example.com', password };

const faults: string[] = [];

async function step<T>(name: string, work: () => Promise<T>): Promise<T> {
  const began = performance.now();
  const result = await work();
  if (Array.isArray(result)) faults.push(...(result as string[]));
  console.log(`${name}: ${((performance.now() - began) / 1000).toFixed(1)} s`);
  return result;
}

/** A task whose due time has passed is told to Ada, while she looks. */
async function walkOverdue({ page }: Visitor, cluster: Cluster): Promise<void> {
  const admin = createTaskFlow({
    address: `http://${cluster.address('gateway')}`,
    credentials: { account: cluster.admin },
  });
  await page.goto('/inbox?show=unread');
  await page.goto('/tasks');
  await settle(page);
  await page.locator('body').press('n');
  await page.keyboard.type('Renew the passport due:2026-01-05');
  await page.keyboard.press('Enter');
  await row(page, 'Renew the passport').waitFor();
  await page.getByRole('link', { name: 'Inbox' }).click();
  await admin.scheduler.triggerSchedule({ scheduleId: 'overdue-sweep' });
  await page.getByRole('listitem').filter({ hasText: 'Renew the passport' }).getByText('is overdue').waitFor();
  admin.close();
}

/** Thousands of tasks: few rows exist, and the last one can be reached. */
async function walkLongList({ page }: Visitor, url: string): Promise<void> {
  const taskflow = createTaskFlow({ address: url, credentials: { account: grace } });
  const members = Array.from({ length: 5000 }, (_, index) => ({
    task: { title: `Task ${String(index).padStart(4, '0')}` },
  }));
  for await (const { result } of inBatches(taskflow.tasks.batchCreateTasks, members, {}))
    ok(result.result.case === 'task', 'a task was not created');
  taskflow.close();
  await page.goto('/tasks?sort=title');
  await page.getByRole('link', { name: 'Task 0000' }).focus();
  const rows = page.locator('.task-row');
  await waitUntil(async () => (await page.locator('[aria-setsize="5000"]').count()) > 0);
  ok((await rows.count()) < 100, 'every task has a row');
  await page.keyboard.press('End');
  await page.getByRole('link', { name: 'Task 4999' }).waitFor();
  ok((await rows.count()) < 100, 'every task has a row');
}

/** In a browser that has nothing yet. */
async function walkFirstView(browser: Browser, url: string): Promise<string[]> {
  const visitor = await visit(browser, url);
  const found = await checkFirstView(visitor, ada);
  await visitor.context.close();
  return [...found, ...visitor.faults];
}

async function inspectAll(browser: Browser, url: string, cluster: Cluster): Promise<void> {
  const looks = [
    { look: 'light', options: {} },
    { look: 'dark', options: { dark: true } },
    { look: 'narrow', options: { width: 360 } },
  ];
  for (const { look, options } of looks) {
    const visitor = await visit(browser, url, options);
    await step(`signed out, ${look}`, () => inspectViews(visitor, signedOutViews, look));
    await signIn(visitor, cluster.admin);
    await step(`every view, ${look}`, () => inspectViews(visitor, [...personsViews, ...adminsViews], look));
    faults.push(...visitor.faults);
    await visitor.context.close();
  }
}

async function run(parts: AsyncDisposableStack): Promise<void> {
  if (picturesFolder !== undefined) mkdirSync(picturesFolder, { recursive: true });
  const infrastructure = await startInfrastructure();
  parts.defer(() => infrastructure.stop());
  const { postgresAdminUrl, redisUrl } = infrastructure;
  const cluster = await startCluster({
    postgresAdminUrl,
    redisUrl,
    ports: 'free',
    services: ['auth', 'users', 'tasks', 'scheduler', 'gateway'],
  });
  parts.defer(() => cluster.stop());
  // Browsers keep locks for HTTPS and this name alone.
  const url = `http://${cluster.address('gateway').replace('127.0.0.1', 'localhost')}`;
  const asRoot = process.getuid?.() === 0 ? ['--no-sandbox'] : [];
  const browser = await chromium.launch({ executablePath: process.env['CHROMIUM'] ?? '', args: asRoot });
  parts.defer(() => browser.close());
  const [first, second] = [await visit(browser, url), await visit(browser, url)];

  await step('Ada and Grace register', async () => {
    await register(first, ada);
    await register(second, grace);
  });
  await step('secrets', () => checkSecrets(first));
  await step('the first view', () => walkFirstView(browser, url));
  await step('by keys', () => walkByKeys(first));
  await step('board', () => walkBoard(first));
  await step('together', () => walkTogether(first, second, grace.email));
  await step('offline', () => walkOffline(first, second));
  await step('a project', () => walkProject(first, second, grace.email));
  await step('overdue', () => walkOverdue(first, cluster));
  await step('a long list', () => walkLongList(second, url));
  await step('out', () => walkOut(first));
  faults.push(...first.faults, ...second.faults);
  await inspectAll(browser, url, cluster);
  if (faults.length > 0) throw new Error(`the console has faults:\n  ${[...new Set(faults)].join('\n  ')}`);
  console.log(`Chromium ${browser.version()}: nothing wrong`);
}

await using parts = new AsyncDisposableStack();
await run(parts);
