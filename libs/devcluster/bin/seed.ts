// npm run seed: people and tasks to try things with, in the cluster that runs (npm start), through its API.
import { CallError } from '#libs/grpc';
import { seed } from '../src/seed.ts';
import { defaultPorts } from '../src/service-names.ts';

const addressOf = (service: 'auth' | 'users' | 'tasks'): string => process.env[`TASKFLOW_${service.toUpperCase()}_ADDRESS`] ?? `127.0.0.1:${defaultPorts[service].grpc}`;

try {
  const { emails, password, added, present } = await seed({ auth: addressOf('auth'), users: addressOf('users'), tasks: addressOf('tasks') });
  process.stdout.write(`${added} tasks added, ${present} already there\nsign in as ${emails.join(', ')}, password: ${password}\n`);
} catch (error) {
  const reason = error instanceof CallError ? ` (${error.reason ?? error.kind})` : '';
  process.stderr.write(`seed: ${(error as Error).message}${reason}\n`);
  process.exitCode = 1;
}
process.disconnect?.();
