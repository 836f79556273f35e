import { afterAll, beforeAll } from '@jest/globals';
import { randomBytes } from 'node:crypto';
import {
  startCluster,
  testPostgresUrl,
  testRedisUrl,
  waitUntil,
  type Cluster,
  type ClusterOptions,
} from '#dev/cluster';

export const tasks = '/taskflow.tasks.v1.TasksService';
export const users = '/taskflow.users.v1.UsersService';

/** An answer of the gateway to JSON. */
export interface JsonAnswer {
  status: number;
  headers: Headers;
  json: Record<string, unknown>;
}

export interface ErrorJson {
  code: string;
  message: string;
  details: { type: string; value: string; debug?: Record<string, unknown> }[];
}

export interface GatewayCluster {
  cluster: Cluster;
  /** http://host:port */
  url: string;
  /** The access token of somebody whom every service knows. */
  token: string;
  /** Posts JSON; a string is sent as it is. */
  post(path: string, body: unknown, headers?: Record<string, string>): Promise<JsonAnswer>;
}

/** "OK", or the code and reason of an error. */
export function outcomeOf({ status, json }: Pick<JsonAnswer, 'status' | 'json'>): string {
  if (status === 200) return 'OK';
  const { code, details } = json as unknown as ErrorJson;
  return `${code}/${String(detailOf(details, 'ErrorInfo')?.['reason'])}`;
}

export const detailOf = (details: ErrorJson['details'], name: string): Record<string, unknown> | undefined =>
  details.find(({ type }) => type === `google.rpc.${name}`)?.debug;

/** The fields that an error names, and what is wrong with them. */
export function violationsOf({ json }: Pick<JsonAnswer, 'json'>): string[] {
  const { details } = json as unknown as ErrorJson;
  const found = (detailOf(details, 'BadRequest')?.['fieldViolations'] ?? []) as { field: string }[];
  return found.map(({ field }) => field);
}

async function register({ post }: Pick<GatewayCluster, 'post'>): Promise<string> {
  const who = { email: `${randomBytes(8).toString('hex')}@example.com`, password: randomBytes(12).toString('hex') };
  const { json } = await post('/taskflow.auth.v1.AuthService/Register', { ...who, displayName: 'Ada' });
  const token = (json as { tokens: { accessToken: string } }).tokens.accessToken;
  // On a busy machine auth answers before users has heard of it.
  await waitUntil(
    () => post(`${users}/GetMe`, {}, { authorization: `Bearer ${token}` }),
    ({ status }) => status === 200,
  );
  return token;
}

/** Starts auth, users, tasks and the gateway before the tests of a file; its members are there when the tests run. */
export function useGateway(options: Partial<ClusterOptions> = {}): GatewayCluster {
  const gateway = {} as GatewayCluster;
  beforeAll(async () => {
    const cluster = await startCluster({
      postgresAdminUrl: testPostgresUrl(),
      redisUrl: testRedisUrl(),
      copyDatabases: true,
      ports: 'free',
      services: ['auth', 'users', 'tasks', 'gateway'],
      ...options,
    });
    const url = `http://${cluster.address('gateway')}`;
    const post: GatewayCluster['post'] = async (path, body, headers = {}) => {
      const response = await fetch(`${url}${path}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...headers },
        body: typeof body === 'string' ? body : JSON.stringify(body),
      });
      const json = (await response.json()) as Record<string, unknown>;
      return { status: response.status, headers: response.headers, json };
    };
    Object.assign(gateway, { cluster, url, post });
    gateway.token = await register({ post });
  }, 120_000);
  afterAll(() => gateway.cluster?.stop());
  return gateway;
}
