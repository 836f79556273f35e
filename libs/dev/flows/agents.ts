import { fileURLToPath } from 'node:url';
import { Client, StreamableHTTPClientTransport, type CallToolResult } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import { serviceNames } from '#libs/contract';
import type { Cluster } from '#dev/cluster';

/** How agents of different years begin. */
export type Era = 'legacy' | 'auto';

const newClient = (era: Era): Client =>
  new Client({ name: 'a test', version: '1' }, { versionNegotiation: { mode: era } });

export interface HttpAgentOptions {
  era?: Era;
  headers?: Record<string, string>;
}

/** An agent that talks to the gateway. Rejects when it is refused. */
export async function openHttpAgent(
  cluster: Cluster,
  token: string | undefined,
  { era = 'auto', headers = {} }: HttpAgentOptions = {},
): Promise<Client> {
  const client = newClient(era);
  const url = new URL(`http://${cluster.address('gateway')}/mcp`);
  const sent = { ...headers, ...(token !== undefined && { authorization: `Bearer ${token}` }) };
  await client.connect(new StreamableHTTPClientTransport(url, { requestInit: { headers: sent } }));
  return client;
}

/** The program that such an agent starts: the command line. */
export function stdioProgram(cluster: Cluster, token: string) {
  const addresses = serviceNames.map((name) => [`TASKFLOW_${name.toUpperCase()}_ADDRESS`, cluster.address(name)]);
  return {
    command: process.execPath,
    args: [fileURLToPath(new URL('../../../services/cli/main.ts', import.meta.url)), 'mcp'],
    env: { ...(Object.fromEntries(addresses) as Record<string, string>), TASKFLOW_TOKEN: token },
  };
}

/** An agent that starts a program of its own and talks to it. */
export async function openStdioAgent(cluster: Cluster, token: string, era: Era = 'auto'): Promise<Client> {
  const client = newClient(era);
  await client.connect(new StdioClientTransport(stdioProgram(cluster, token)));
  return client;
}

export interface RawAnswer {
  status: number;
  headers: Headers;
  text: string;
}

/** Sends the gateway what no client of the protocol would. */
export async function postMessage(
  cluster: Cluster,
  token: string,
  body: string | Uint8Array<ArrayBuffer>,
  { method = 'POST', headers = {} }: { method?: string; headers?: Record<string, string> } = {},
): Promise<RawAnswer> {
  const response = await fetch(`http://${cluster.address('gateway')}/mcp`, {
    method,
    headers: {
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      authorization: `Bearer ${token}`,
      ...headers,
    },
    ...(method === 'POST' && { body }),
  });
  return { status: response.status, headers: response.headers, text: await response.text() };
}

export const rpc = (method: string, params: object = {}): string =>
  JSON.stringify({ jsonrpc: '2.0', id: 1, method, params });

/** The answer of a tool; fails the test when the tool failed. */
export async function useTool(agent: Client, name: string, given: object = {}): Promise<Record<string, unknown>> {
  const result = await agent.callTool({ name, arguments: { ...given } });
  if (result.isError === true) throw new Error(JSON.stringify(result.structuredContent));
  return result.structuredContent as Record<string, unknown>;
}

export interface ToldError {
  code: string;
  reason?: string;
  message: string;
  violations?: { field: string; description: string }[];
  metadata?: Record<string, string>;
  callId?: string;
  requestId?: string;
  advice: string;
}

/** What an agent is told of a tool that failed. */
export async function failTool(agent: Client, name: string, given: object = {}): Promise<ToldError> {
  const result: CallToolResult = await agent.callTool({ name, arguments: { ...given } });
  if (result.isError !== true) throw new Error(`${name} did not fail`);
  return (result.structuredContent as { error: ToldError }).error;
}
