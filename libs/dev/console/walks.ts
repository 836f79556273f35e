// What two people do in the console, each in a browser of their own, and what they must see.
import { deepStrictEqual, match, ok } from 'node:assert/strict';
import type { Locator, Page } from 'playwright-core';
import { waitUntil } from '#dev/cluster';
import { inspect } from './views.ts';
import { settle, timeZone, type Visitor } from './browser-page.ts';

export interface Account {
  name: string;
  email: string;
  password: string;
}

export const row = (page: Page, title: string): Locator => page.getByRole('listitem').filter({ hasText: title });

/** Writes a line of quick add into the own tasks. */
export async function addTask(page: Page, line: string, title = line): Promise<void> {
  await page.goto('/tasks');
  await settle(page);
  await page.getByLabel('Add a task').fill(line);
  await page.keyboard.press('Enter');
  await row(page, title).waitFor();
}

export async function register({ page }: Visitor, { name, email, password }: Account): Promise<void> {
  await page.goto('/register');
  await page.getByLabel('Your name').fill(name);
  await page.getByLabel('E-mail').fill(email);
  await page.getByLabel('Password').fill(password);
  await page.getByRole('button', { name: 'Create account' }).click();
  await page.getByRole('heading', { name: 'My tasks' }).waitFor();
}

export async function signIn(
  { page }: Pick<Visitor, 'page'>,
  { email, password }: Omit<Account, 'name'>,
): Promise<void> {
  await page.goto('/sign-in');
  await page.getByLabel('E-mail').fill(email);
  await page.getByLabel('Password').fill(password);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByRole('heading', { name: 'My tasks' }).waitFor();
}

/** The profile of somebody who is new has the zone of their device; then they let others find them by e-mail. */
export async function fillProfile({ page }: Visitor): Promise<void> {
  await page.getByRole('link', { name: 'Settings' }).click();
  await waitUntil(async () => (await page.getByLabel('Time zone').inputValue()) === timeZone);
  await page.getByLabel(/Whoever knows my e-mail/).check();
  await page.getByText('Saved').waitFor();
}

/** No script of the page can get at what lasts longer than ten minutes. */
export async function checkSecrets({ context, page }: Visitor): Promise<void> {
  const cookies = await context.cookies();
  deepStrictEqual(
    cookies.map(({ name, httpOnly, sameSite, path }) => ({ name, httpOnly, sameSite, path })),
    [{ name: 'taskflow_session', httpOnly: true, sameSite: 'Strict', path: '/session' }],
  );
  const secret = cookies[0]?.value ?? '';
  const seen = await page.evaluate<string[]>(
    '[document.cookie, JSON.stringify(localStorage), JSON.stringify(sessionStorage)]',
  );
  ok(!seen.join().includes(secret) && seen[0] === '', 'the refresh token can be read by scripts');
}

/** By keys alone: adds, moves, completes, selects, deletes and takes back. */
export async function walkByKeys({ page }: Visitor): Promise<string[]> {
  await page.goto('/tasks');
  await settle(page);
  await page.locator('body').press('n');
  for (const line of ['Water the plants !high #home due:today@23:59', 'Call the landlord !low', 'Plan the offsite']) {
    await page.keyboard.type(line);
    await page.keyboard.press('Enter');
  }
  await row(page, 'Plan the offsite').waitFor();
  await row(page, 'Water the plants').getByText('home').waitFor();
  await row(page, 'Water the plants')
    .getByText(/Today, 23:59/)
    .waitFor();
  await page.keyboard.press('Tab');
  await page.getByRole('link', { name: 'Plan the offsite' }).focus();
  await page.keyboard.press('c');
  await row(page, 'Plan the offsite').waitFor({ state: 'detached' });
  await page.getByRole('link', { name: 'Call the landlord' }).focus();
  await page.keyboard.press('x');
  await page.getByRole('toolbar').waitFor();
  const faults = await inspect(page, 'a selection');
  await page.getByRole('toolbar').getByRole('button', { name: 'Delete' }).press('Enter');
  await row(page, 'Call the landlord').waitFor({ state: 'detached' });
  await page.getByRole('button', { name: 'Undo' }).last().press('Enter');
  await row(page, 'Call the landlord').waitFor();
  await page.getByRole('link', { name: 'Call the landlord' }).press('Enter');
  await page.getByRole('complementary', { name: 'Task: Call the landlord' }).waitFor();
  faults.push(...(await inspect(page, 'a task')));
  await page.keyboard.press('Escape');
  await page.getByRole('complementary').waitFor({ state: 'detached' });
  await page.locator('body').press('?');
  await page.getByRole('dialog', { name: 'Keys' }).waitFor();
  faults.push(...(await inspect(page, 'the keys')));
  await page.keyboard.press('Escape');
  return faults;
}

export async function walkBoard({ page }: Visitor): Promise<void> {
  const title = 'Sort the books';
  await addTask(page, title);
  await page.goto('/tasks?view=board');
  await settle(page);
  const doing = page.getByRole('region', { name: 'In progress' });
  await page.getByRole('link', { name: title }).press('Alt+ArrowRight');
  await doing.getByText(title).waitFor();
  await page.locator('.card', { hasText: title }).dragTo(page.getByRole('region', { name: 'Done' }));
  await page.getByRole('region', { name: 'Done' }).getByText(title).waitFor();
}

/** Ada gives a task to Grace, who sees it at once, changes it, and is seen. */
export async function walkTogether(ada: Visitor, grace: Visitor, gracesEmail: string): Promise<string[]> {
  await grace.page.goto('/tasks');
  await settle(grace.page);

  await addTask(ada.page, 'Water the flowers');
  await ada.page.getByRole('link', { name: 'Water the flowers' }).click();
  const panel = ada.page.getByRole('complementary');
  await panel.getByRole('button', { name: 'Nobody' }).click();
  await ada.page.getByLabel('Name or e-mail of the assignee').fill(gracesEmail);
  await ada.page.keyboard.press('Enter');
  await row(grace.page, 'Water the flowers').waitFor();
  await grace.page.getByRole('link', { name: /Inbox 1 unread/ }).waitFor();

  await grace.page.getByRole('link', { name: 'Water the flowers' }).click();
  ok(!(await grace.page.getByRole('complementary').getByLabel('Title').isEditable()), 'Grace is no owner');
  await grace.page.getByRole('complementary').getByLabel('Status').selectOption('In progress');
  await grace.page.keyboard.press('Escape');
  await panel.getByText(/changed the status from To do to In progress/).waitFor();
  return walkConflict(ada);
}

/** Two tabs change the title at once: the second one chooses. */
async function walkConflict({ context, page }: Visitor): Promise<string[]> {
  const title = page.getByRole('complementary').getByLabel('Title');
  await title.focus();
  const other = await context.newPage();
  await other.goto(page.url());
  const theirs = other.getByRole('complementary').getByLabel('Title');
  await theirs.fill('Water all flowers');
  await theirs.press('Enter');
  await row(page, 'Water all flowers').waitFor();
  await other.close();
  await title.fill('Water the flowers twice');
  await title.press('Enter');
  const dialog = page.getByRole('dialog', { name: 'Two people changed this at once' });
  match(await dialog.innerText(), /Water the flowers twice[^]*Water all flowers/);
  const faults = await inspect(page, 'a conflict');
  await dialog.getByRole('button', { name: 'Keep mine' }).click();
  await row(page, 'Water the flowers twice').waitFor();
  return faults;
}

/** What happens while the network is away is there when it is back. */
export async function walkOffline(ada: Visitor, grace: Visitor, gracesEmail: string): Promise<void> {
  const title = 'Fetch the parcel';
  await addTask(ada.page, `${title} @${gracesEmail}`, title);
  await grace.page.goto('/tasks');
  await row(grace.page, title).waitFor();
  await ada.context.setOffline(true);
  const mark = ada.page.getByRole('status').filter({ hasText: 'Offline' });
  await mark.waitFor();
  await row(ada.page, title).waitFor();
  await grace.page.getByRole('button', { name: `Complete ${title}` }).click();
  await row(grace.page, title).waitFor({ state: 'detached' });
  await ada.context.setOffline(false);
  await row(ada.page, title).waitFor({ state: 'detached' });
  await mark.waitFor({ state: 'detached' });
}

/** Signing out ends the session in all tabs, and a reload does not bring it back. */
export async function walkOut({ context, page }: Visitor): Promise<void> {
  const other = await context.newPage();
  await other.goto('/inbox');
  await other.getByRole('heading', { name: 'Inbox' }).waitFor();
  await page.getByRole('button', { name: /^Account of/ }).click();
  await page.getByRole('menuitem', { name: 'Sign out' }).click();
  await page.getByRole('heading', { name: 'Sign in' }).waitFor();
  await other.getByRole('heading', { name: 'Sign in' }).waitFor();
  await page.reload();
  await page.getByRole('heading', { name: 'Sign in' }).waitFor();
  deepStrictEqual(await waitUntil(() => context.cookies()), []);
}
