import type { Command } from 'commander';
import { serviceNames, TaskFlowError, timestampDate, type ServiceName } from '#client/index';
import { ServerInfoService, type GetServerInfoResponse } from '#client/server';
import { act, examples } from '../action.ts';
import type { Cli } from '../cli.ts';
import { placeOf } from '../connection/connect.ts';
import { callExitCodes } from '../exit-codes.ts';
import { renderTable } from '../output/table.ts';
import { oneLine, paint } from '../output/text.ts';

/** What was found out about one thing. */
interface Finding {
  what: string;
  ok: boolean;
  detail: string;
  place?: string;
  /** Of the failure. */
  exitCode?: number;
}

/** Tokens begin and end by the clock of the server, and they are minutes long. */
const toleratedSkewMs = 5_000;

function failed(what: string, error: unknown): Finding {
  if (!(error instanceof TaskFlowError)) throw error;
  const { code, reason, message } = error;
  const detail = `${message.replace(/^\S+: /, '')} (${[code, reason].filter(Boolean).join(', ')})`;
  return { what, ok: false, detail, exitCode: callExitCodes[code] };
}

/** By how much the clock of a server is before ours, as far as a call can tell: half of its time may be one way. */
function skewOf({ serverTime }: GetServerInfoResponse, began: number, ended: number): number {
  if (serverTime === undefined) return 0;
  const difference = timestampDate(serverTime).getTime() - (began + ended) / 2;
  return Math.abs(difference) <= (ended - began) / 2 ? 0 : Math.round(difference);
}

async function checkService(cli: Cli, service: ServiceName): Promise<Finding[]> {
  const place = placeOf(cli.target, service);
  try {
    const began = Date.now();
    const info = await cli.connection.service(ServerInfoService, { at: service }).getServerInfo({});
    const ended = Date.now();
    const skewMs = skewOf(info, began, ended);
    const detail = `version ${info.version}${info.commit === '' ? '' : ` (${info.commit.slice(0, 10)})`}, ${ended - began} ms`;
    const clock = {
      what: `clock of ${service}`,
      ok: Math.abs(skewMs) <= toleratedSkewMs,
      detail:
        skewMs === 0 ? 'as here' : `${Math.abs(skewMs) / 1000} s ${skewMs > 0 ? 'before' : 'behind'} this machine`,
    };
    return [{ what: service, ok: true, detail, place }, clock];
  } catch (error) {
    return [{ ...failed(service, error), place }];
  }
}

function checkVersions(findings: readonly Finding[]): Finding[] {
  const versions = new Set(
    findings.flatMap(({ detail }) => /^version (\S+)/.exec(detail)?.[1]?.replace(/,$/, '') ?? []),
  );
  if (versions.size <= 1) return [];
  return [{ what: 'versions', ok: true, detail: `differ: ${[...versions].join(', ')}` }];
}

/** Where the credentials come from; undefined when nobody is signed in. */
async function findCredentials({ secrets }: Cli): Promise<Pick<Finding, 'what' | 'detail'> | undefined> {
  if (process.env['TASKFLOW_TOKEN']) return { what: 'token', detail: 'from TASKFLOW_TOKEN' };
  const detail = `kept in the ${secrets.place}`;
  if (secrets.personalToken() !== undefined) return { what: 'token', detail };
  return (await secrets.session.read()) === undefined ? undefined : { what: 'session', detail };
}

async function checkAccount(cli: Cli): Promise<Finding> {
  const credentials = await findCredentials(cli);
  if (credentials === undefined) return { what: 'session', ok: true, detail: 'nobody is signed in' };
  const { what, detail } = credentials;
  try {
    const { user } = await cli.taskflow.users.getMe({});
    return { what, ok: true, detail: `of ${oneLine(user?.email ?? '')}, ${detail}` };
  } catch (error) {
    // It proves who calls, and that was the question.
    if (error instanceof TaskFlowError && error.code === 'PERMISSION_DENIED')
      return { what, ok: true, detail: `valid, without users:read, ${detail}` };
    return failed(what, error);
  }
}

export function registerDoctor(program: Command): void {
  const command = program
    .command('doctor')
    .summary('check the connection')
    .description(
      'Asks each service whether it answers, which version it is and what its clock says, and whether the session or ' +
        'token is good. The exit code is that of the first call that failed.',
    );
  examples(command, 'taskflow doctor');
  act(command, async (cli) => {
    const services = (await Promise.all(serviceNames.map((service) => checkService(cli, service)))).flat();
    const findings = [...services, ...checkVersions(services), await checkAccount(cli)];
    cli.out.answerPlain({ profile: cli.profileName, findings }, () =>
      renderTable(findings, [
        { head: '', cell: ({ ok }) => (ok ? 'ok' : 'FAULT'), style: ({ ok }) => (ok ? 'green' : 'red') },
        { head: 'WHAT', cell: ({ what }) => what },
        { head: 'FOUND', cell: ({ detail }) => oneLine(detail), flexible: true },
        { head: 'WHERE', cell: ({ place = '' }) => place },
      ]),
    );
    const fault = findings.find(({ ok }) => !ok);
    if (fault !== undefined) cli.out.note(paint('red', `${fault.what} is not well`, process.stderr));
    return fault === undefined ? 0 : (fault.exitCode ?? callExitCodes.FAILED_PRECONDITION);
  });
}
