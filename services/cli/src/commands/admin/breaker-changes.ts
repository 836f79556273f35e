import { randomUUID } from 'node:crypto';
import { Argument, Option, type Command } from 'commander';
import { serviceNames, type ServiceName } from '#client/index';
import {
  BreakersService,
  BreakerState,
  OverrideBreakerResponseSchema,
  ReleaseBreakerResponseSchema,
} from '#client/resilience';
import { act, examples } from '../../action.ts';
import { readSpan } from '../../input/spans.ts';
import { showTime } from '../../output/times.ts';

interface ForceOptions {
  for: bigint;
  reason: string;
}

/** "taskflow admin breakers" shows all three. */
const addEdge = (command: Command): Command =>
  command
    .addArgument(new Argument('<caller>', 'the service that calls').choices([...serviceNames]))
    .argument('<callee>', 'the service that is called')
    .argument('<method>', 'the method that is called');

const states = { open: BreakerState.OPEN, closed: BreakerState.CLOSED } as const;

function registerForce(breakers: Command): void {
  const command = addEdge(
    breakers
      .command('force')
      .summary('decide for a breaker')
      .description(
        'Holds a breaker open (nothing is sent to the callee) or closed (everything is, whatever fails) for some time.\n' +
          'Every replica of the caller has breakers of its own; this one is of the replica that answers.',
      ),
  )
    .addArgument(new Argument('<state>', 'what it is held').choices(Object.keys(states)))
    .addOption(
      new Option('--for <span>', 'how long, such as 30s, 5m or 1h')
        .argParser(readSpan(['s', 'm', 'h'], '30s, 5m or 1h'))
        .makeOptionMandatory(),
    )
    .requiredOption('--reason <text>', 'why, for whoever looks meanwhile');
  examples(
    command,
    'taskflow admin breakers force tasks auth taskflow.auth.v1.AuthService/GetJwks closed --for 5m --reason "a drill"',
  );
  act<ForceOptions>(command, async (cli, { args, options: { for: seconds, reason } }) => {
    const [caller, callee = '', method = '', state] = args as [ServiceName, string, string, keyof typeof states];
    const { overrideBreaker } = cli.taskflow.connection.service(BreakersService, { at: caller });
    const request = { callee, method, state: states[state], ttl: { seconds }, reason, requestId: randomUUID() };
    const answer = await overrideBreaker(request);
    const { expireTime } = answer.breaker?.override ?? {};
    cli.out.answer(OverrideBreakerResponseSchema, answer, () => `${state} until ${showTime(expireTime, cli.zone)}`);
  });
}

function registerRelease(breakers: Command): void {
  const command = addEdge(
    breakers
      .command('release')
      .summary('let a breaker decide by itself')
      .description('Lets a breaker decide by itself again, before the time of "force" is over.'),
  );
  examples(command, 'taskflow admin breakers release tasks auth taskflow.auth.v1.AuthService/GetJwks');
  act(command, async (cli, { args }) => {
    const [caller, callee = '', method = ''] = args as [ServiceName, string, string];
    const { releaseBreaker } = cli.taskflow.connection.service(BreakersService, { at: caller });
    const answer = await releaseBreaker({ callee, method, requestId: randomUUID() });
    cli.out.answer(ReleaseBreakerResponseSchema, answer, () => 'it decides by itself');
  });
}

export function registerBreakerChanges(breakers: Command): void {
  registerForce(breakers);
  registerRelease(breakers);
}
