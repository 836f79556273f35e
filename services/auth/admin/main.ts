// npm run admin -- reset-password EMAIL: what an operator does on the server, without any service.
import { parseArgs } from 'node:util';
import { runCommand, startedEnvironment, UsageError } from '#dev/cluster';

await runCommand('admin', async () => {
  const { positionals } = parseArgs({ allowPositionals: true, options: {} });
  if (positionals[0] !== 'reset-password' || positionals.length !== 2)
    throw new UsageError('it takes "reset-password EMAIL"');
  const { TASKFLOW_AUTH_DATABASE_URL: url, TASKFLOW_AUTH_DATABASE_URL_FILE: file } = process.env;
  if (url === undefined && file === undefined) Object.assign(process.env, await startedEnvironment('auth'));
  await import('../src/admin.ts');
  return Number(process.exitCode);
});
