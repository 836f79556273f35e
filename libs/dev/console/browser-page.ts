// A page of the console in Chromium, and what is wrong with it.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { Browser, BrowserContext, Page } from 'playwright-core';

const axeSource = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** What the page itself caused and shows: refusals of the server, and a network that is away. */
const isExpected = (line: string): boolean =>
  /^Failed to load resource: (the server responded with a status of 4|net::ERR_INTERNET_DISCONNECTED)/.test(line);

/** Of everybody who visits. */
export const timeZone = 'Europe/Berlin';

export interface Visitor {
  context: BrowserContext;
  page: Page;
  /** Errors of scripts, and what the policy of the page forbade. */
  faults: string[];
}

interface VisitorOptions {
  dark?: boolean;
  width?: number;
}

/** Somebody with a browser of their own. */
export async function visit(browser: Browser, baseURL: string, { dark, width }: VisitorOptions = {}): Promise<Visitor> {
  const context = await browser.newContext({
    baseURL,
    colorScheme: dark === true ? 'dark' : 'light',
    viewport: { width: width ?? 1400, height: 860 },
    reducedMotion: 'reduce',
    timezoneId: timeZone,
  });
  const page = await context.newPage();
  const faults: string[] = [];
  page.on('pageerror', (error) => faults.push(`uncaught: ${error.message}`));
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type()) && !isExpected(message.text())) faults.push(message.text());
  });
  return { context, page, faults };
}

interface AxeResult {
  violations: { id: string; help: string; nodes: { html: string; failureSummary?: string }[] }[];
}

/** What keeps people out by WCAG 2.2 AA, as far as a program can tell. */
export async function findBarriers(page: Page): Promise<string[]> {
  await page.evaluate(axeSource);
  const tags = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];
  const { violations } = (await page.evaluate(`axe.run(document, { runOnly: ${JSON.stringify(tags)} })`)) as AxeResult;
  return violations.map(
    ({ id, help, nodes }) =>
      `${id}: ${help}\n      ${nodes.map(({ html, failureSummary }) => `${html}\n      ${failureSummary}`).join('\n      ')}`,
  );
}

/** Waits until the view has all that it asks for. */
export async function settle(page: Page): Promise<void> {
  await page.getByRole('heading', { level: 1 }).first().waitFor();
  await page.locator('.skeleton').first().waitFor({ state: 'detached' });
}
