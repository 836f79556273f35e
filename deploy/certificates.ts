// npm run certificates -- DIRECTORY: certificates for all services, by an authority of one's own.
import { existsSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { issueCertificates, readCount, runCommand, UsageError } from '#dev/cluster';

const hostName = /^[a-z0-9]([a-z0-9.:-]*[a-z0-9:])?$/i;
/** The largest number means "leave as it is" to chown. */
const largestUser = 0xffff_fffe;

function readArguments() {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { name: { type: 'string', multiple: true, default: [] }, owner: { type: 'string' } },
  });
  const [directory, ...others] = positionals;
  if (directory === undefined) throw new UsageError('DIRECTORY is missing');
  if (others.length > 0) throw new UsageError('only one DIRECTORY at a time');
  if (existsSync(directory) && !statSync(directory).isDirectory()) throw new UsageError(`${directory} is not a folder`);
  const wrong = values.name.filter((name) => !hostName.test(name));
  if (wrong.length > 0) throw new UsageError(`--name ${wrong.join(', ')}: must be a host name or an address`);
  const owner = values.owner && readCount('owner', values.owner, { least: 0, most: largestUser });
  return { directory: resolve(directory), names: values.name, owner: owner === '' ? undefined : owner };
}

await runCommand('certificates', async () => {
  const { directory, ...options } = readArguments();
  await issueCertificates(directory, options);
  process.stdout.write(`certificates are in ${directory}\n`);
  return 0;
});
