// What the page of the check does. It is bundled from the packed client, with the account and the address of the cluster
// in place of these, and writes a line for each thing that it has seen.
import { itemsOf, TaskFlowError, watchTasks, webTokenStore } from '#client/index';
import { createTaskFlow } from '#client/web';

const account = { email: 'ada@example.com', password: 'a long passphrase' };
const store = webTokenStore(localStorage);
const open = () => createTaskFlow({ address: 'http://localhost:8080', credentials: { store } });
const say = (line: string): void => console.info(line);

async function run(): Promise<void> {
  const { session, tasks } = open();
  await session.login(account);
  await tasks.createTask({ task: { title: 'made in the page' } });
  for await (const { title } of itemsOf(tasks.listTasks, {})) say(`listed: ${title}`);
  try {
    await tasks.createTask({ task: { title: '' } });
  } catch (error) {
    if (error instanceof TaskFlowError) say(`refused: ${error.code} ${error.reason} ${error.violations[0]?.field}`);
  }
  await renew();
  for await (const update of watchTasks(tasks)) {
    if (update.kind === 'list') say('watching');
    if (update.kind === 'event') return say(`watched: ${update.event.change?.after?.title}`);
  }
}

/** A page that is opened later, when the access token is due for renewal. */
async function renew(): Promise<void> {
  const before = await store.read();
  if (before === undefined) return;
  await store.write({ ...before, accessTokenRenewMs: 0 });
  await open().tasks.getTaskStats({});
  const after = await store.read();
  say(after !== undefined && after.accessToken !== before.accessToken ? 'renewed' : 'not renewed');
}

await run().catch((error: unknown) => say(`failed: ${String(error)}`));
say('done');
