// People are invited to a project by a mail, register by its link, and are members; or are told why they are not.
import { ok } from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { waitUntil, type Cluster } from '#dev/cluster';
import { visit, type Visitor } from './browser-page.ts';
import { inspectLooks } from './views.ts';
import { row, type Account } from './walks.ts';

const hedy: Account = { name: 'Hedy Lamarr', email: 'hedy@example.com', password: 'a long passphrase' };
const joan: Account = { ...hedy, name: 'Joan Clarke', email: 'joan@example.com' };
const project = 'Orchard';

/** The links of the invitations that were mailed to an address, once there are so many. */
async function linksTo(email: string, { mailFolder, count }: { mailFolder: string; count: number }): Promise<string[]> {
  const readLinks = (): string[] =>
    readdirSync(mailFolder)
      .filter((name) => name.endsWith('.eml'))
      .map((name) => readFileSync(join(mailFolder, name), 'utf8'))
      .filter((mail) => mail.includes(`To: ${email}`))
      .flatMap((mail) => /http:\S+\/project-invitation#token=[\w-]+/.exec(mail)?.[0] ?? []);
  return waitUntil(readLinks, (links) => links.length >= count);
}

async function makeProject({ page }: Visitor): Promise<void> {
  await page.goto('/projects');
  await page.getByRole('button', { name: 'New project' }).first().click();
  await page.getByLabel('Name').fill(project);
  await page.getByRole('button', { name: 'Create project' }).click();
  await page.getByRole('heading', { name: project, level: 1 }).waitFor();
  await page.getByRole('link', { name: /members?$/ }).click();
}

/** Somebody whom Ada cannot find is offered a mail. */
async function invite({ page }: Visitor, email: string): Promise<string[]> {
  await page.getByRole('button', { name: 'Add a member' }).click();
  await page.getByLabel('E-mail').fill(email);
  await page.getByRole('dialog').getByLabel('Role').selectOption({ label: 'Commenter: comments as well' });
  await page.getByRole('button', { name: 'Add', exact: true }).click();
  await page.getByText(`${email} cannot be found`).waitFor();
  const faults = await inspectLooks(page, 'an offer to invite');
  await page.getByRole('button', { name: 'Invite by mail' }).click();
  await row(page, email).getByText('mailed just now').waitFor();
  return faults;
}

/** While auth is down the e-mails are unknown, and the mail is only asked for. */
async function sendAgain({ page }: Visitor, cluster: Cluster): Promise<string[]> {
  await cluster.kill('auth', 'SIGKILL');
  await page.getByRole('button', { name: `Send again: ${hedy.email}` }).click();
  await row(page, 'E-mail not known now').waitFor();
  const faults = await inspectLooks(page, 'an invitation without its e-mail');
  await cluster.start('auth');
  await row(page, hedy.email).waitFor();
  return faults;
}

/** A person with another account is told so, and not whom the invitation is for. */
async function refuse({ page }: Visitor, link: string): Promise<string[]> {
  await page.goto(link);
  await page.getByText('This invitation was sent to another e-mail').waitFor();
  await page.getByRole('button', { name: 'Use another account' }).waitFor();
  ok(!(await page.locator('body').innerText()).includes(hedy.email), 'another person learns the e-mail');
  return inspectLooks(page, 'an invitation for another');
}

/** Neither the address nor what the browser keeps has the token. */
async function checkToken(page: Page, link: string): Promise<void> {
  const kept = await page.evaluate<string>('location.href + JSON.stringify([localStorage, sessionStorage])');
  ok(!kept.includes(link.split('token=')[1] ?? ''), 'the token of the invitation is kept');
}

/** Registers on the page of the link. */
async function registerBy({ page }: Visitor, link: string, { name, email, password }: Account): Promise<string[]> {
  await page.goto(link);
  await page.getByRole('heading', { name: 'Invitation to a project' }).waitFor();
  await checkToken(page, link);
  const faults = await inspectLooks(page, 'an invitation');
  await page.getByRole('button', { name: 'Create an account' }).click();
  await page.getByLabel('Your name').fill(name);
  await page.getByLabel('E-mail').fill(email);
  await page.getByLabel('Password').fill(password);
  faults.push(...(await inspectLooks(page, 'an invitation to register')));
  await page.getByRole('button', { name: 'Create account' }).click();
  return faults;
}

const untilInProject = ({ page }: Pick<Visitor, 'page'>): Promise<void> =>
  page.getByRole('heading', { name: project, level: 1 }).waitFor();

/** The link leads a member to the project, also by way of the sign-in. */
async function comeBack({ page }: Pick<Visitor, 'page'>, link: string): Promise<void> {
  await page.goto(link);
  await page.getByRole('button', { name: 'I have an account' }).click();
  await page.getByLabel('E-mail').fill(hedy.email);
  await page.getByLabel('Password').fill(hedy.password);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await untilInProject({ page });
  await checkToken(page, link);
}

async function cancel({ page }: Visitor, email: string): Promise<void> {
  await page.getByRole('button', { name: `Cancel the invitation: ${email}` }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Cancel the invitation' }).click();
  await row(page, email).waitFor({ state: 'detached' });
}

interface Place {
  browser: Browser;
  url: string;
  cluster: Cluster;
}

/** One who accepts while tasks is down waits, and joins once it is back. Ada's page would only tell that tasks is down. */
async function joinLate(ada: Visitor, joansPage: Page, cluster: Cluster, link: string): Promise<string[]> {
  const members = ada.page.url();
  await ada.page.goto('about:blank');
  await cluster.kill('tasks', 'SIGKILL');
  await joansPage.goto(link);
  await joansPage.getByText('You have accepted.').waitFor();
  const faults = await inspectLooks(joansPage, 'joining');
  await cluster.start('tasks');
  await untilInProject({ page: joansPage });
  await ada.page.goto(members);
  await ada.page.getByLabel('Role of Joan Clarke').waitFor();
  return faults;
}

/** Joan registers by an invitation that was cancelled, then joins by another one. */
async function walkJoan(ada: Visitor, { browser, url, cluster }: Place, mailFolder: string): Promise<string[]> {
  const faults = await invite(ada, joan.email);
  const [cancelled = ''] = await linksTo(joan.email, { mailFolder, count: 1 });
  await cancel(ada, joan.email);
  const visitor = await visit(browser, url);
  await registerBy(visitor, cancelled, joan);
  await visitor.page.getByText('This invitation was cancelled').waitFor();
  faults.push(...(await inspectLooks(visitor.page, 'a cancelled invitation')), ...(await invite(ada, joan.email)));
  const links = await linksTo(joan.email, { mailFolder, count: 2 });
  const open = links.find((link) => link !== cancelled) ?? '';
  faults.push(...(await joinLate(ada, visitor.page, cluster, open)), ...visitor.faults);
  await visitor.context.close();
  return faults;
}

export async function walkInvitation(ada: Visitor, grace: Visitor, place: Place): Promise<string[]> {
  const { browser, url, cluster } = place;
  const mailFolder = cluster.mailFolder ?? '';
  await makeProject(ada);
  const faults = await invite(ada, hedy.email);
  await linksTo(hedy.email, { mailFolder, count: 1 });
  faults.push(...(await inspectLooks(ada.page, 'an open invitation')), ...(await sendAgain(ada, cluster)));
  const [link = '', again] = await linksTo(hedy.email, { mailFolder, count: 2 });
  ok(link === again, 'the second mail has another link');
  faults.push(...(await refuse(grace, link)));

  const newcomer = await visit(browser, url);
  faults.push(...(await registerBy(newcomer, link, hedy)));
  await untilInProject(newcomer);
  await ada.page.getByLabel('Role of Hedy Lamarr').waitFor();
  await row(ada.page, hedy.email).waitFor({ state: 'detached' });
  const elsewhere = await visit(browser, url);
  await comeBack(elsewhere, link);
  faults.push(...newcomer.faults, ...elsewhere.faults);
  await newcomer.context.close();
  await elsewhere.context.close();
  return [...faults, ...(await walkJoan(ada, place, mailFolder))];
}
