/**
 * Asks the agents' door with the protocol's own inspector, over HTTP and over standard input and output:
 *
 *   node libs/dev/flows/inspect-agents.ts INSPECTOR
 */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { processNames, startInfrastructure } from '#dev/cluster';
import { tools } from '#libs/mcp';
import { stdioProgram } from './agents.ts';
import { startTestCluster } from './test-cluster.ts';

const [, , inspector] = process.argv;
if (inspector === undefined) {
  process.stderr.write('usage: inspect-agents.ts INSPECTOR\n');
  process.exit(64);
}

const run = promisify(execFile);

const options = { maxBuffer: 16 * 1024 * 1024, timeout: 120_000 };

/** What the inspector prints: the result of a method. */
async function inspect(server: readonly string[], ...asked: string[]): Promise<Record<string, unknown>> {
  const { stdout } = await run(process.execPath, [inspector as string, '--cli', ...server, ...asked], options);
  return JSON.parse(stdout) as Record<string, unknown>;
}

/** The same where the tool fails, which the inspector exits with. */
async function inspectFailure(server: readonly string[], ...asked: string[]): Promise<Record<string, unknown>> {
  const failure = (await inspect(server, ...asked).catch((error: unknown) => error)) as { stdout?: string };
  return JSON.parse(failure.stdout ?? '{}') as Record<string, unknown>;
}

function check(isRight: boolean, what: string): void {
  if (!isRight) throw new Error(`${what}: not so`);
  process.stdout.write(`${what}\n`);
}

async function inspectDoor(name: string, server: readonly string[]): Promise<void> {
  const { tools: listed } = (await inspect(server, '--method', 'tools/list', '--strict')) as {
    tools: { name: string }[];
  };
  check(listed.length === tools.length, `${name}: lists ${tools.length} tools with portable schemas`);
  const title = `inspected over ${name}`;
  const call = ['--method', 'tools/call', '--tool-name', 'create_task', '--tool-arg', `title=${title}`];
  const { structuredContent } = (await inspect(server, ...call)) as { structuredContent: { task: { title: string } } };
  check(structuredContent.task.title === title, `${name}: calls a tool`);
  const wrong = await inspectFailure(
    server,
    '--method',
    'tools/call',
    '--tool-name',
    'get_task',
    '--tool-arg',
    'taskId=x',
  );
  check(wrong['isError'] === true, `${name}: is told an error`);
  const { resources } = (await inspect(server, '--method', 'resources/list')) as { resources: object[] };
  check(resources.length === 3, `${name}: lists resources`);
}

const infrastructure = await startInfrastructure({});
const { postgresAdminUrl, redisUrl } = infrastructure;
// Where tests find their servers.
process.env['TASKFLOW_TEST_POSTGRES_URL'] = postgresAdminUrl;
process.env['TASKFLOW_TEST_REDIS_URL'] = redisUrl;
const testCluster = await startTestCluster({ services: processNames });
try {
  const { cluster } = testCluster;
  const { token } = await testCluster.createPersonalToken(await testCluster.register());
  const url = `http://${cluster.address('gateway')}/mcp`;
  const http = [url, '--transport', 'http', '--header', `authorization: Bearer ${token}`];
  for (const era of ['legacy', 'modern']) await inspectDoor(`http (${era})`, [...http, '--protocol-era', era]);
  const { command, args, env } = stdioProgram(cluster, token);
  const settings = Object.entries(env).flatMap(([name, value]) => ['-e', `${name}=${value}`]);
  await inspectDoor('stdio', [...settings, command, ...args]);
} finally {
  await testCluster.stop();
  await infrastructure.stop();
}
process.exit();
