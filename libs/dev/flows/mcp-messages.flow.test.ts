import { spawn } from 'node:child_process';
import { text as readText } from 'node:stream/consumers';
import type { Client } from '@modelcontextprotocol/client';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { openHttpAgent, postMessage, rpc, stdioProgram, useTool } from './agents.ts';
import { startTestCluster, type TestCluster } from './test-cluster.ts';

let testCluster: TestCluster;
let agent: Client;
let token: string;

beforeAll(async () => {
  testCluster = await startTestCluster({ services: ['auth', 'users', 'tasks', 'scheduler', 'gateway'] });
  ({ token } = await testCluster.createPersonalToken(await testCluster.register()));
  agent = await openHttpAgent(testCluster.cluster, token);
}, 120_000);
afterAll(async () => {
  await agent?.close();
  await testCluster?.stop();
});

interface Told {
  jsonrpc: string;
  id: string | number | null;
  error: {
    code: number;
    message: string;
    data: { error: { reason: string; callId?: string; violations?: { field: string; description: string }[] } };
  };
}

type Body = Parameters<typeof postMessage>[2];

/** Over HTTP: the status, and the answer. */
async function refusal(body: Body): Promise<{ status: number; callId: string | null } & Told> {
  const { status, headers, text } = await postMessage(testCluster.cluster, token, body);
  return { status, callId: headers.get('x-request-id'), ...(JSON.parse(text) as Told) };
}

const faultOf = ({ status, id, error }: Awaited<ReturnType<typeof refusal>>) => [
  status,
  id,
  error.code,
  ...(error.data.error.violations ?? []).map(({ field, description }) => `${field}: ${description}`),
];

const call = (given: string, name = 'create_task'): string =>
  `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"${name}","arguments":${given}}}`;

/** Each would have been read as something else than was sent. */
const bytes = (text: string): Uint8Array<ArrayBuffer> => new Uint8Array(Buffer.from(text, 'latin1'));
const rounded = 'would be rounded: a whole number of so many digits must be a string';
const altered: [Body, unknown[]][] = [
  [bytes(call('{"title":"caf\xe9"}')), [400, null, -32700]],
  [call('{"title":"first","title":"second"}'), [200, 1, -32602, 'title: is there twice']],
  [call('{"title":"first","t\\u0069tle":"second"}'), [200, 1, -32602, 'title: is there twice']],
  [
    call('{"title":"x","dueDay":{"date":{"year":2027,"year":2028,"month":1,"day":1},"timeZone":"UTC"}}'),
    [200, 1, -32602, 'dueDay.date.year: is there twice'],
  ],
  [
    call('{"tasks":[{"title":"a"},{"title":"b","title":"c"}]}', 'create_tasks'),
    [200, 1, -32602, 'tasks[1].title: is there twice'],
  ],
  [call('{"pageSize":5.00000000000000000001}', 'list_tasks'), [200, 1, -32602, `pageSize: ${rounded}`]],
  [call('{"title":"x","dueTime":12345678901234567890}'), [200, 1, -32602, `dueTime: ${rounded}`]],
  ['{"jsonrpc":"2.0","id":12345678901234567890,"method":"ping"}', [400, null, -32600, `id: ${rounded}`]],
  [call('{"title":"A1"},"arguments":{"title":"A2"}'), [200, 1, -32602, 'params.arguments: is there twice']],
  [call('{"title":"x","__proto__":{"title":"y"}}'), [200, 1, -32602, '__proto__: is no argument of this tool']],
  ['{"jsonrpc":"2.0","id":1,"id":2,"method":"ping"}', [400, null, -32600, 'id: is there twice']],
];

describe('J9: a message', () => {
  it.each(altered)('is refused rather than read as another: %s', async (body, expected) => {
    const told = await refusal(body);
    expect(faultOf(told)).toEqual(expected);
    expect(told.error.data.error).toMatchObject({ reason: 'MALFORMED_REQUEST', callId: told.callId });
    expect(await useTool(agent, 'list_tasks')).not.toHaveProperty('tasks');
  });

  it('that is none is answered as an error of JSON-RPC', async () => {
    const cases = await Promise.all(
      [
        '{',
        '',
        '7',
        `[${rpc('tools/list')}]`,
        '['.repeat(200_000),
        `${'{"a":'.repeat(200)}1${'}'.repeat(200)}`,
        rpc('tools/call', { name: 5, arguments: [1] }),
        rpc('tools/call', { name: 'list_tasks', arguments: null }),
        rpc('resources/read'),
        rpc('resources/read', { uri: null }),
        rpc('tools/list', { cursor: 5 }),
        rpc('initialize', { protocolVersion: 1, capabilities: {}, clientInfo: { name: 'x', version: '1' } }),
      ].map(refusal),
    );
    expect(cases.map(faultOf)).toEqual([
      [400, null, -32700],
      [400, null, -32700],
      [400, null, -32600],
      [400, null, -32600],
      [400, null, -32600],
      [400, null, -32600],
      [
        200,
        1,
        -32602,
        'params.name: expected string, received number',
        'params.arguments: expected object, received array',
      ],
      [200, 1, -32602, 'params.arguments: expected object, received null'],
      [200, 1, -32602, 'params.uri: expected string, but it is missing'],
      [200, 1, -32602, 'params.uri: expected string, received null'],
      [200, 1, -32602, 'params.cursor: expected string, received number'],
      [200, 1, -32602, 'params.protocolVersion: expected string, received number'],
    ]);
    expect(JSON.stringify(cases)).not.toContain('invalid_type');
  });

  it('is read as strictly from a program that an agent starts', async () => {
    const { command, args, env } = stdioProgram(testCluster.cluster, token);
    const program = spawn(command, args, { env: { ...process.env, ...env }, stdio: ['pipe', 'pipe', 'inherit'] });
    const lines = [bytes(call('{"title":"caf\xe9"}')), ...altered.slice(1).map(([body]) => body as string), '{', '[]'];
    for (const line of lines) program.stdin.write(Buffer.concat([Buffer.from(line), Buffer.from('\n')]));
    program.stdin.end();
    const told = (await readText(program.stdout))
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Told);
    expect(told.map(({ id, error }) => [id, error.code])).toEqual([
      ...altered.map(([, [, id, code]]) => [id, code]),
      [null, -32700],
      [null, -32600],
    ]);
  });
});
