import type { Command } from 'commander';
import type { ServiceName } from '#client/index';
import { act, examples } from '../action.ts';
import { toUrl } from '../connection/connect.ts';
import { listProfiles, removeProfile, useProfile, writeProfile, type Profile } from '../connection/profiles.ts';
import { openSecrets } from '../connection/secrets.ts';
import { UsageError } from '../faults.ts';
import { renderTable } from '../output/table.ts';
import { oneLine } from '../output/text.ts';

interface SetOptions extends Partial<Record<ServiceName, string>> {
  address?: string;
  gateway?: string;
  ca?: string;
  timeZone?: string;
}

/** The file of profiles may have been written by anybody. */
const describeAddress = ({ address, gateway, addresses = {} }: Profile): string =>
  oneLine(gateway ?? address ?? (Object.values(addresses).join(' ') || 'npm start on this machine'));

/** Throws UsageError for what no zone is called. */
function checkZone(timeZone: string | undefined): void {
  try {
    if (timeZone !== undefined) Temporal.Now.instant().toZonedDateTimeISO(timeZone);
  } catch {
    throw new UsageError(`--time-zone ${timeZone}: is not a time zone like Europe/Berlin`);
  }
}

function toProfile({ auth, users, tasks, scheduler, ...others }: SetOptions): Profile {
  const addresses = Object.fromEntries(
    Object.entries({ auth, users, tasks, scheduler }).filter(([, address]) => address !== undefined),
  );
  const ways = [others.address, others.gateway, Object.values(addresses)[0]].filter((way) => way !== undefined);
  if (ways.length > 1) throw new UsageError('say one of --address, --gateway and addresses of services');
  checkZone(others.timeZone);
  const profile: Profile = { ...others, ...(Object.keys(addresses).length > 0 && { addresses }) };
  const isSecure = others.ca !== undefined;
  for (const address of [others.address, others.gateway, ...Object.values(addresses)])
    if (address !== undefined) toUrl(address, isSecure);
  return profile;
}

function registerListing(profile: Command): void {
  const command = profile
    .command('ls', { isDefault: true })
    .summary('list profiles')
    .description('Lists the profiles. A star marks the one that commands take when none is named.');
  examples(command, 'taskflow profile');
  act(command, async (cli) => {
    const { current, profiles } = listProfiles();
    cli.out.answerPlain({ current, profiles }, () =>
      renderTable(Object.entries(profiles), [
        { head: '', cell: ([name]) => (name === current ? '*' : '') },
        { head: 'PROFILE', cell: ([name]) => oneLine(name) },
        { head: 'ADDRESS', cell: ([, one]) => describeAddress(one), flexible: true },
        { head: 'TIME ZONE', cell: ([, one]) => oneLine(one.timeZone ?? '') },
      ]),
    );
  });
}

function registerSetting(profile: Command): void {
  const command = profile
    .command('set')
    .summary('make or replace a profile')
    .description('Makes a profile, or replaces what it says. Its session stays.')
    .argument('<name>', 'of the profile')
    .option('--address <address>', 'one gRPC address of all services, such as that of an ingress')
    .option('--gateway <address>', 'the address of the gateway, where gRPC cannot pass')
    .option('--auth <address>', 'the address of a service, where each has one of its own')
    .option('--users <address>')
    .option('--tasks <address>')
    .option('--scheduler <address>')
    .option('--ca <file>', 'the authority of the certificates; addresses without http: are then called by TLS')
    .option('--time-zone <zone>', 'of days and times, such as Europe/Berlin; that of the machine when not given');
  examples(
    command,
    'taskflow profile set work --address https://tasks.example.com --time-zone Europe/Berlin',
    'taskflow profile set local --gateway http://127.0.0.1:8080',
  );
  act<SetOptions>(command, async (cli, { args: [name = ''], options }) => {
    const store = listProfiles().profiles[name]?.store;
    const made = { ...toProfile(options), ...(store !== undefined && { store }) };
    writeProfile(name, made);
    cli.out.answerPlain({ [name]: made }, () => `profile ${name}: ${describeAddress(made)}`);
  });
}

function registerUsing(profile: Command): void {
  const command = profile
    .command('use')
    .summary('choose the profile of later commands')
    .description('Chooses the profile that commands take when none is named.')
    .argument('<name>', 'of the profile');
  examples(command, 'taskflow profile use default');
  act(command, async (cli, { args: [name = ''] }) => {
    useProfile(name);
    cli.out.answerPlain({ current: name }, () => `commands take profile ${name} now`);
  });
}

function registerRemoval(profile: Command): void {
  const command = profile
    .command('rm')
    .summary('remove a profile')
    .description('Removes a profile and forgets its session, which ends on the server by itself.')
    .argument('<name>', 'of the profile');
  examples(command, 'taskflow profile rm work');
  act(command, async (cli, { args: [name = ''] }) => {
    const found = listProfiles().profiles[name];
    if (found === undefined) throw new UsageError(`there is no profile "${name}"`);
    await openSecrets(name, found).clear();
    removeProfile(name);
    cli.out.answerPlain({ removed: name }, () => `profile ${name} is removed`);
  });
}

export function registerProfile(program: Command): void {
  const profile = program
    .command('profile')
    .summary('the clusters that you work with')
    .description('Profiles say how a cluster is reached. Each has a session of its own.');
  registerListing(profile);
  registerSetting(profile);
  registerUsing(profile);
  registerRemoval(profile);
}
