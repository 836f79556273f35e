// All views, with what `npm run seed` makes, as one of its people and as an administrator see them.
import type { Browser } from 'playwright-core';
import { createTaskFlow } from '#client/node';
import { waitUntil, type Cluster } from '#dev/cluster';
import { seed } from '../../../services/tasks/seed/seed.ts';
import { settle, visit } from './browser-page.ts';
import { adminsViews, inspectViews, personsViews, picture, signedOutViews } from './views.ts';
import { signIn } from './walks.ts';

interface Seeded {
  ada: { email: string; password: string };
  projectId: string;
  /** A task that is talked about, and one that was reported overdue. */
  taskId: string;
  overdueTaskId: string;
}

async function fill(url: string, { admin }: Cluster): Promise<Seeded> {
  const { emails, password } = await seed({ address: url }, () => undefined);
  const ada = { email: emails[0] ?? '', password };
  const taskflow = createTaskFlow({ address: url, credentials: { account: ada } });
  const administrator = createTaskFlow({ address: url, credentials: { account: admin } });
  await administrator.scheduler.triggerSchedule({ scheduleId: 'overdue-sweep' });
  const { tasks } = await taskflow.tasks.listTasks({ pageSize: 100 });
  const idOf = (title: string): string => tasks.find((task) => task.title === title)?.id ?? '';
  const overdueTaskId = idOf('Redirect the old addresses');
  await waitUntil(
    () => taskflow.notifications.listNotifications({ pageSize: 100 }),
    ({ notifications }) => notifications.some((one) => one.taskId === overdueTaskId && one.dueTime !== undefined),
  );
  const projectId = tasks.find(({ id }) => id === overdueTaskId)?.projectId ?? '';
  taskflow.close();
  administrator.close();
  return { ada, projectId, taskId: idOf('Write the texts of the landing page'), overdueTaskId };
}

/** The picture of the README, `.github/console.png`. */
export async function takePicture(browser: Browser, url: string, cluster: Cluster): Promise<void> {
  const { ada, projectId, taskId } = await fill(url, cluster);
  const { context, page } = await visit(browser, url);
  await page.setViewportSize({ width: 1200, height: 740 });
  await signIn({ page }, ada);
  await page.goto(`/projects/${projectId}?task=${taskId}`);
  await settle(page);
  await page.getByText('The numbers are right now.').waitFor();
  await picture(page, 'console');
  await context.close();
}

/** What is wrong with any view, in light and dark, wide and narrow. */
export async function inspectAll(browser: Browser, url: string, cluster: Cluster): Promise<string[]> {
  const { ada, projectId, taskId, overdueTaskId } = await fill(url, cluster);
  const ofProject = [
    `/projects/${projectId}`,
    `/projects/${projectId}/members`,
    `/projects/${projectId}?task=${taskId}`,
  ];
  const found: string[] = [];
  const looks = [
    { look: 'light', options: {} },
    { look: 'dark', options: { dark: true } },
    { look: 'narrow', options: { width: 360 } },
    { look: 'narrow dark', options: { dark: true, width: 360 } },
  ];
  for (const { look, options } of looks) {
    const person = await visit(browser, url, options);
    found.push(...(await inspectViews(person, signedOutViews, look)));
    await signIn(person, ada);
    found.push(...(await inspectViews(person, [...personsViews, ...ofProject, `/inbox?task=${overdueTaskId}`], look)));
    const admin = await visit(browser, url, options);
    await signIn(admin, cluster.admin);
    found.push(...(await inspectViews(admin, [...adminsViews, `/admin/overdue?task=${overdueTaskId}`], look)));
    found.push(...person.faults, ...admin.faults);
    await person.context.close();
    await admin.context.close();
  }
  return found;
}
