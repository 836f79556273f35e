// Every view of the console, in light and dark, wide and narrow: nothing sticks out, and nothing keeps people out.
import type { Page } from 'playwright-core';
import { findBarriers, settle, type Visitor } from './browser-page.ts';

export const signedOutViews = ['/sign-in', '/register', '/forgot-password', '/reset-password', '/verify-email'];

export const personsViews = [
  '/tasks',
  '/tasks?view=board',
  '/tasks?q=nothing-has-this',
  '/inbox',
  '/projects',
  '/settings/profile',
  '/settings/security',
  '/settings/tokens',
  '/settings/webhooks',
  '/nowhere',
];

export const adminsViews = [
  '/admin/accounts',
  '/admin/schedules',
  '/admin/queues',
  '/admin/overdue',
  '/admin/breakers',
  '/admin/audit',
  '/admin/versions',
];

/** Whether one has to scroll the whole page sideways. */
const isTooWide = (page: Page): Promise<boolean> =>
  page.evaluate('document.documentElement.scrollWidth > document.documentElement.clientWidth');

/** What is wrong with a view as it is shown now. */
export async function inspect(page: Page, name: string): Promise<string[]> {
  const barriers = await findBarriers(page);
  const faults = barriers.map((barrier) => `${name}: ${barrier}`);
  return (await isTooWide(page)) ? [...faults, `${name}: wider than the window`] : faults;
}

/** Opens each view, and leaves a picture of it in `folder`, if there is one. */
export async function inspectViews(
  { page }: Visitor,
  paths: readonly string[],
  { look, folder }: { look: string; folder: string | undefined },
): Promise<string[]> {
  const faults: string[] = [];
  for (const path of paths) {
    await page.goto(path);
    if (path !== '/nowhere') await settle(page);
    const name = `${path} ${look}`;
    faults.push(...(await inspect(page, name)));
    const file = `${name.replaceAll(/\W+/g, '-').replace(/^-/, '')}.png`;
    if (folder !== undefined) await page.screenshot({ path: `${folder}/${file}` });
  }
  return faults;
}
