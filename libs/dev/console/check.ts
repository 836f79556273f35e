// People and an administrator use the console of a whole cluster, in the Chromium that CHROMIUM names. Arguments choose
// parts of it.
import { ok } from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { chromium, type Browser } from 'playwright-core';
import { inBatches } from '#client/index';
import { createTaskFlow } from '#client/node';
import { startCluster, startInfrastructure, waitUntil, type Cluster } from '#dev/cluster';
import { inspectAll, takePicture } from './all-views.ts';
import { visit, type Visitor } from './browser-page.ts';
import { checkFirstView } from './first-view.ts';
import { picture, picturesFolder } from './views.ts';
import { walkInvitation } from './walk-invitation.ts';
import { walkProject } from './walk-project.ts';
import {
  addTask,
  fillProfile,
  checkSecrets,
  register,
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

async function step(name: string, work: () => Promise<string[] | void>): Promise<void> {
  const began = performance.now();
  faults.push(...((await work()) ?? []));
  console.log(`${name}: ${((performance.now() - began) / 1000).toFixed(1)} s`);
}

/** A task whose due time has passed is told to Ada, while she looks. */
async function walkOverdue({ page }: Visitor, cluster: Cluster): Promise<void> {
  const admin = createTaskFlow({
    address: `http://${cluster.address('gateway')}`,
    credentials: { account: cluster.admin },
  });
  await addTask(page, 'Renew the passport due:2026-01-05', 'Renew the passport');
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
  await page.goto('/tasks?sort=title&q=Task');
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

interface Stage {
  browser: Browser;
  cluster: Cluster;
  url: string;
  /** Two people, each with a browser of their own. */
  first: Visitor;
  second: Visitor;
}

/** Each can be run alone. */
const parts: Readonly<Record<string, (stage: Stage) => Promise<string[] | void>>> = {
  secrets: ({ first }) => checkSecrets(first),
  'first-view': ({ browser, url }) => walkFirstView(browser, url),
  keys: ({ first }) => walkByKeys(first),
  board: ({ first }) => walkBoard(first),
  together: ({ first, second }) => walkTogether(first, second, grace.email),
  offline: ({ first, second }) => walkOffline(first, second, grace.email),
  project: ({ first, second }) => walkProject(first, second, grace.email),
  invitation: ({ first, second, ...place }) => walkInvitation(first, second, place),
  overdue: ({ first, cluster }) => walkOverdue(first, cluster),
  'long-list': ({ second, url }) => walkLongList(second, url),
  picture: ({ browser, url, cluster }) => takePicture(browser, url, cluster),
  views: ({ browser, url, cluster }) => inspectAll(browser, url, cluster),
  'sign-out': ({ first }) => walkOut(first),
};

function chosenParts(): string[] {
  const chosen = process.argv.slice(2);
  const unknown = chosen.filter((name) => !(name in parts));
  if (unknown.length > 0)
    throw new Error(`there is no ${unknown.join(', ')}; there are ${Object.keys(parts).join(', ')}`);
  return chosen.length === 0 ? Object.keys(parts) : chosen;
}

async function openStage(open: AsyncDisposableStack): Promise<Stage> {
  const infrastructure = await startInfrastructure();
  open.defer(() => infrastructure.stop());
  const { postgresAdminUrl, redisUrl } = infrastructure;
  const cluster = await startCluster({
    postgresAdminUrl,
    redisUrl,
    ports: 'free',
    services: ['auth', 'users', 'tasks', 'scheduler', 'gateway'],
    env: { TASKFLOW_MAIL: 'folder' },
  });
  open.defer(() => cluster.stop());
  // Browsers keep locks for HTTPS and this name alone.
  const url = `http://${cluster.address('gateway').replace('127.0.0.1', 'localhost')}`;
  const asRoot = process.getuid?.() === 0 ? ['--no-sandbox'] : [];
  const browser = await chromium.launch({ executablePath: process.env['CHROMIUM'] ?? '', args: asRoot });
  open.defer(() => browser.close());
  return { browser, cluster, url, first: await visit(browser, url), second: await visit(browser, url) };
}

async function run(open: AsyncDisposableStack): Promise<void> {
  const names = chosenParts();
  if (picturesFolder !== undefined) mkdirSync(picturesFolder, { recursive: true });
  const stage = await openStage(open);
  const { first, second, browser } = stage;
  await step('Ada and Grace register', async () => {
    await register(first, ada);
    await register(second, grace);
    await fillProfile(second);
  });
  try {
    for (const name of names) await step(name, async () => parts[name]?.(stage));
  } catch (error) {
    await Promise.all([picture(first.page, 'Ada at the end'), picture(second.page, 'Grace at the end')]);
    throw error;
  }
  faults.push(...first.faults, ...second.faults);
  if (faults.length > 0) throw new Error(`the console has faults:\n  ${[...new Set(faults)].join('\n  ')}`);
  console.log(`Chromium ${browser.version()}: nothing wrong`);
}

await using open = new AsyncDisposableStack();
await run(open);
