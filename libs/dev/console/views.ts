// Every view of the console, in light and dark, wide and narrow: nothing sticks out, and nothing keeps people out.
import type { Page } from 'playwright-core';
import { findBarriers, settle, type Visitor } from './browser-page.ts';

export const signedOutViews = [
  '/sign-in',
  '/register',
  '/forgot-password',
  '/reset-password',
  '/verify-email',
  '/project-invitation',
];

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

/** Where pictures of all views are left, if anybody wants them. */
export const picturesFolder = process.env['CONSOLE_PICTURES'];

const looks = [
  { look: 'light', colorScheme: 'light', width: 1400 },
  { look: 'dark', colorScheme: 'dark', width: 1400 },
  { look: 'narrow', colorScheme: 'light', width: 360 },
] as const;

/** What is wrong with what a page shows now, in each look. */
export async function inspectLooks(page: Page, name: string): Promise<string[]> {
  const faults: string[] = [];
  for (const { look, colorScheme, width } of [...looks.slice(1), ...looks.slice(0, 1)]) {
    await page.emulateMedia({ colorScheme });
    await page.setViewportSize({ width, height: 860 });
    faults.push(...(await inspect(page, `${name} ${look}`)));
  }
  return faults;
}

/** Leaves a picture of what is shown now, if anybody wants it. */
export async function picture(page: Page, name: string): Promise<void> {
  // Ids differ from run to run.
  const words = name.replaceAll(/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, 'id');
  const file = `${words.replaceAll(/\W+/g, '-').replace(/^-/, '')}.png`;
  if (picturesFolder !== undefined) await page.screenshot({ path: `${picturesFolder}/${file}` });
}

/** What is wrong with a view as it is shown now. */
export async function inspect(page: Page, name: string): Promise<string[]> {
  const barriers = await findBarriers(page);
  await picture(page, name);
  const faults = barriers.map((barrier) => `${name}: ${barrier}`);
  return (await isTooWide(page)) ? [...faults, `${name}: wider than the window`] : faults;
}

/** Opens each view. */
export async function inspectViews({ page }: Visitor, paths: readonly string[], look: string): Promise<string[]> {
  const faults: string[] = [];
  for (const path of paths) {
    await page.goto(path);
    if (path !== '/nowhere') await settle(page);
    faults.push(...(await inspect(page, `${path} ${look}`)));
  }
  return faults;
}
