// npm run admin -- COMMAND: what an operator does on the server, without any service.
import { parseArgs } from 'node:util';
import { runCommand, serviceNames, startedEnvironment, UsageError } from '#dev/cluster';

const settingsOf = (service: string): string[] => {
  const name = `TASKFLOW_${service.toUpperCase()}_DATABASE_URL`;
  return [name, `${name}_FILE`];
};
const isGiven = (service: string): boolean => settingsOf(service).some((name) => process.env[name] !== undefined);

async function resetPassword(): Promise<void> {
  if (!isGiven('auth')) Object.assign(process.env, await startedEnvironment('auth'));
  await import('../src/admin.ts');
}

/** Of the databases that the settings name, or of all four of npm start. */
async function verifyAudit(): Promise<void> {
  for (const service of serviceNames.some(isGiven) ? [] : serviceNames) {
    const env = await startedEnvironment(service);
    const [name = ''] = settingsOf(service);
    process.env[name] = env[name];
  }
  await import('../../../libs/audit/bin/verify-audit.ts');
}

await runCommand('admin', async () => {
  const { positionals } = parseArgs({ allowPositionals: true, options: {} });
  const [command, ...more] = positionals;
  if (command === 'reset-password' && more.length === 1) await resetPassword();
  else if (command === 'verify-audit' && more.length === 0) await verifyAudit();
  else throw new UsageError('it takes "reset-password EMAIL" or "verify-audit"');
  return Number(process.exitCode);
});
