// npm run seed: adds people, tasks and projects for development to the running cluster (npm start), through its API.
import { parseArgs } from 'node:util';
import { clientOptions, findServices, runCommand, serviceNames } from '#dev/cluster';
import { openClientCertificates } from '#libs/runtime';
import { seed } from './seed.ts';

await runCommand('seed', async (progress) => {
  parseArgs({ options: {} });
  const certificates = openClientCertificates();
  const hosts = await findServices(serviceNames, certificates);
  let tasks = 0;
  const onTask = (): void => void (tasks += 1);
  const { emails, password, added, present } = await progress(
    () => `${tasks} tasks are there`,
    async () => seed(clientOptions(hosts, certificates), onTask),
  );
  process.stdout.write(
    `${added} tasks added, ${present} already there\nsign in as ${emails.join(', ')}, password: ${password}\n`,
  );
  return 0;
});
