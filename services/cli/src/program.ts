import { Command } from 'commander';
import { commands } from './commands.ts';
import { findTarget, placeOf } from './connection/connect.ts';
import { findProfile } from './connection/profiles.ts';
import { exitCodes, exitCodesHelp } from './exit-codes.ts';
import { endWithOutput, interrupted, interruption, listenToInterrupts } from './interruption.ts';
import { readVersion } from './version.ts';
import { reportError, type ErrorReport } from './output/report-error.ts';

const globalHelp = `
Settings, from the environment:
  TASKFLOW_PROFILE        the profile, when --profile does not say it
  TASKFLOW_TOKEN          a personal token, in place of a login
  TASKFLOW_AUTH_ADDRESS, TASKFLOW_USERS_ADDRESS, TASKFLOW_TASKS_ADDRESS, TASKFLOW_SCHEDULER_ADDRESS
                          where the services are, when the profile does not say it; else the ports of "npm start"
  TASKFLOW_TLS_CA_FILE    the authority of the services' certificates, who then are called by TLS
  TASKFLOW_KEYRING=off    keeps sessions in files (0600) and not in the keyring of the system
  NO_COLOR                no colours
${exitCodesHelp}`;

export function createProgram({ isJson = false } = {}): Command {
  const program = new Command('taskflow')
    .description('Your tasks, from the command line.')
    .version(readVersion(), '-V, --version', 'the version of this program')
    .option('--profile <name>', 'the cluster and account to use (see: taskflow profile)')
    .option('--json', 'one JSON document on standard output, as the contract has it')
    .configureHelp({ showGlobalOptions: true, sortSubcommands: false })
    .helpOption('-h, --help', 'what it takes')
    .helpCommand('help [command]', 'what a command takes')
    .showSuggestionAfterError()
    .showHelpAfterError('  "--help" behind a command tells what it takes')
    .exitOverride()
    .addHelpText('after', globalHelp)
    .configureOutput({
      outputError: (text, write) => write(text.replace(/^error: /, 'taskflow: ')),
      // Then wrong arguments are told as JSON, too.
      ...(isJson && { writeErr: () => undefined }),
    });
  for (const register of commands) register(program);
  return program;
}

/** For the message about a service that does not answer. */
function reportFor(program: Command, isJson: boolean): ErrorReport {
  const { profile } = program.opts<{ profile?: string }>();
  return { isJson, whereIs: (service) => placeOf(findTarget(findProfile(profile).profile), service) };
}

/** Runs a command line and sets the exit code. */
export async function run(args: readonly string[]): Promise<void> {
  listenToInterrupts();
  const isJson = args.includes('--json');
  const program = createProgram({ isJson });
  const report = (error: unknown): number => reportError(error, reportFor(program, isJson));
  endWithOutput(report);
  try {
    await Promise.race([program.parseAsync(args, { from: 'user' }), interrupted]);
  } catch (error) {
    process.exitCode = interruption.signal.aborted ? exitCodes.interrupted : report(error);
  }
  if (interruption.signal.aborted) process.exitCode = exitCodes.interrupted;
  // The channel to boot.mjs would keep this process alive.
  process.disconnect?.();
}
