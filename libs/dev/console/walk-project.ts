// Two people in a project: what each sees of it, and what their roles let them do.
import { ok } from 'node:assert/strict';
import type { Page } from 'playwright-core';
import { settle, type Visitor } from './browser-page.ts';
import { inspectLooks } from './views.ts';
import { row } from './walks.ts';

const panelOf = (page: Page) => page.getByRole('complementary');
const commentsOf = (page: Page) => page.getByRole('region', { name: 'Comments' });

async function makeProject({ page }: Visitor, member: string): Promise<string[]> {
  await page.goto('/projects');
  await page.getByRole('button', { name: 'New project' }).first().click();
  await page.getByLabel('Name').fill('Garden');
  await page.getByLabel('Key').fill('GRD');
  await page.getByRole('button', { name: 'Create project' }).click();
  await page.getByRole('heading', { name: 'Garden', level: 1 }).waitFor();
  await page.getByLabel('Add a task').fill('Plant the beans !high');
  await page.keyboard.press('Enter');
  await row(page, 'Plant the beans').getByText('GRD-1').waitFor();
  await page.getByRole('link', { name: /members?$/ }).click();
  await page.getByRole('button', { name: 'Add a member' }).click();
  await page.getByLabel('E-mail').fill(member);
  await page.getByRole('dialog').getByLabel('Role').selectOption({ label: 'Viewer: sees everything' });
  await page.getByRole('button', { name: 'Add', exact: true }).click();
  await page.getByLabel(/^Role of Grace/).waitFor();
  return inspectLooks(page, 'members');
}

async function talk(ada: Page, grace: Page): Promise<void> {
  await commentsOf(grace).getByLabel('Write a comment').fill('The soil is ready');
  await grace.keyboard.press('Control+Enter');
  await commentsOf(ada).getByText('The soil is ready').waitFor();
  await commentsOf(ada).getByLabel('Write a comment').fill('Good');
  await commentsOf(ada).getByRole('button', { name: 'Comment', exact: true }).click();
  await commentsOf(grace).getByText('Good', { exact: true }).waitFor();
  await commentsOf(ada).getByRole('button', { name: 'Edit', exact: true }).click();
  await commentsOf(ada).getByLabel('Your comment').fill('Very good');
  await commentsOf(ada).getByRole('button', { name: 'Save' }).click();
  await commentsOf(grace).getByText('Very good').waitFor();
  await commentsOf(grace).getByText('edited').waitFor();
  ok(
    (await commentsOf(grace).getByRole('button', { name: 'Edit', exact: true }).count()) === 1,
    'a comment of another can be edited',
  );
}

async function takeBack(ada: Page, grace: Page): Promise<void> {
  await commentsOf(ada).getByRole('button', { name: 'Delete the comment' }).last().click();
  await ada.getByRole('dialog').getByRole('button', { name: 'Delete', exact: true }).click();
  await commentsOf(grace).getByText('This comment was deleted').waitFor();
}

/** Ada makes a project and adds Grace, who sees it at once; they talk about a task; Ada archives the project. */
export async function walkProject(ada: Visitor, grace: Visitor, gracesEmail: string): Promise<string[]> {
  const theirs = grace.page;
  await theirs.goto('/tasks');
  await settle(theirs);
  const faults = await makeProject(ada, gracesEmail);
  await theirs.getByRole('link', { name: 'Garden' }).click();
  await theirs.getByRole('link', { name: 'Plant the beans' }).click();
  await panelOf(theirs).getByText('Your role in the project does not allow more.').waitFor();
  ok(!(await panelOf(theirs).getByLabel('Title').isEditable()), 'a viewer may not write');
  ok((await theirs.getByLabel('Add a task').count()) === 0, 'a viewer may not add');
  await ada.page.getByLabel(/^Role of Grace/).selectOption('Commenter');
  await ada.page.getByRole('link', { name: 'Tasks', exact: true }).click();
  await ada.page.getByRole('link', { name: 'Plant the beans' }).click();
  await panelOf(theirs).getByLabel('Write a comment').waitFor();
  await talk(ada.page, theirs);
  faults.push(...(await inspectLooks(ada.page, 'a task of a project')));
  await takeBack(ada.page, theirs);
  await ada.page.getByRole('button', { name: 'More about this project' }).click();
  await ada.page.getByRole('menuitem', { name: 'Archive' }).click();
  await ada.page.getByText('This project is archived').waitFor();
  await panelOf(ada.page).getByText('The project is archived: it can be seen, not changed.').waitFor();
  ok((await ada.page.getByLabel('Add a task').count()) === 0, 'an archived project takes tasks');
  faults.push(...(await inspectLooks(ada.page, 'an archived project')));
  await ada.page.getByRole('link', { name: /^Inbox/ }).click();
  await row(ada.page, 'Plant the beans').getByText('Grace Hopper wrote a comment').waitFor();
  return faults;
}
