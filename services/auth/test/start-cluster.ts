import { readFileSync } from 'node:fs';
import { AuthServiceService, type LoginResponse } from '#contract/auth/v1/auth';
import { startCluster, testPostgresUrl, testRedisUrl, type Cluster } from '#dev/cluster';
import { queryOnce } from '#dev/testing';
import type { QueryResultRow } from 'pg';
import { openStub, type Stub } from '#dev/stubs';

type Options = Parameters<typeof startCluster>[0];

export interface AuthCluster {
  cluster: Cluster;
  /** A client of one of auth's replicas, which are taken in turn. */
  auth(turn: number): Stub<typeof AuthServiceService>;
  /** A client of another service. It is closed with the cluster. */
  open<D extends object>(definition: D, service: Parameters<Cluster['address']>[0]): Stub<D>;
  signInAsAdmin(): Promise<LoginResponse>;
  /** Runs a statement in auth's database. */
  sql<Row extends QueryResultRow>(text: string, ...values: unknown[]): Promise<Row[]>;
  stop(): Promise<void>;
}

/** Processes of auth, users and tasks on databases of their own, unless the options say otherwise. */
export async function startAuthCluster(options: Partial<Options> = {}): Promise<AuthCluster> {
  const cluster = await startCluster({
    postgresAdminUrl: testPostgresUrl(),
    redisUrl: testRedisUrl(),
    copyDatabases: true,
    ports: 'free',
    services: ['auth', 'users', 'tasks'],
    ...options,
  });
  const clients: { close(): void }[] = [];
  const open = <D extends object>(definition: D, service: Parameters<Cluster['address']>[0], replica = 0) => {
    const client = openStub(definition, cluster.address(service, replica));
    clients.push(client);
    return client;
  };
  const replicas = Array.from({ length: options.replicas?.auth ?? 1 }, (_, replica) =>
    open(AuthServiceService, 'auth', replica),
  );
  const auth: AuthCluster['auth'] = (turn) => replicas[turn % replicas.length] as Stub<typeof AuthServiceService>;
  return {
    cluster,
    auth,
    open,
    signInAsAdmin: () => {
      const { email, password, passwordFile } = cluster.admin;
      const stored = passwordFile === undefined ? password : readFileSync(passwordFile, 'utf8').trim();
      return auth(0).login({ email, password: stored });
    },
    sql: <Row extends QueryResultRow>(text: string, ...values: unknown[]) =>
      queryOnce<Row>(cluster.databaseUrl('auth'), text, values),
    stop: async () => {
      for (const client of clients) client.close();
      await cluster.stop();
    },
  };
}
