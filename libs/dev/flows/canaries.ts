import { createHash, randomBytes } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { InviteUserResponse, RefreshSessionResponse } from '#contract/auth/v1/auth';
import { serviceNames } from '#libs/contract';
import { readServiceKey, type Cluster } from '#dev/cluster';
import { newEmail, type Person, type TestCluster } from './test-cluster.ts';
import type { Answer } from './wire.ts';

/** Planted secrets by their names. */
export type Secrets = Record<string, string>;

const word = (): string => `Canary${randomBytes(9).toString('hex')}`;
const damaged = (token: string): string => `${token.slice(0, -6)}${token.endsWith('AAAAAA') ? 'BBBBBB' : 'AAAAAA'}`;

/** Secrets of every kind that people and services have. `person` is whose they are. */
export async function plantSecrets(testCluster: TestCluster, person: Person): Promise<Secrets> {
  const { response } = await testCluster.wire.call('/taskflow.auth.v1.AuthService/RefreshSession', {
    refreshToken: person.refreshToken,
  });
  const { tokens } = response as RefreshSessionResponse;
  const invited = await testCluster.wire.call(
    '/taskflow.auth.v1.AuthService/InviteUser',
    { email: newEmail() },
    { token: testCluster.admin.token },
  );
  const service = await testCluster.serviceToken('tasks', 'users');
  return {
    password: person.password,
    'wrong password': word(),
    'new password': word(),
    'refused password': word().slice(0, 7),
    'over-long password': word() + 'x'.repeat(1100),
    'password with a control character': `${word()}\u0007`,
    "administrator's password": testCluster.admin.password,
    'password in a title': word(),
    'password in a user agent': word(),
    'password in an unknown field': word(),
    'password as a bearer': word(),
    'access token': person.token,
    'refreshed access token': tokens?.accessToken ?? '',
    "administrator's access token": testCluster.admin.token,
    'damaged access token': damaged(person.token),
    'refresh token': person.refreshToken,
    'successor of the refresh token': tokens?.refreshToken ?? '',
    'damaged refresh token': damaged(person.refreshToken),
    'invitation token': (invited.response as InviteUserResponse).token,
    'password reset token': await testCluster.createPasswordReset(person.id),
    'verification token': (await testCluster.mailVerification()).token,
    'personal token': (await testCluster.createPersonalToken(person)).token,
    'service token': service,
    'damaged service token': damaged(service),
  };
}

/** What nobody sent, but the services know: it must not be written down either. */
export function ownSecretsOf({ dir, databaseUrl }: Cluster): Secrets {
  const passwords = serviceNames.map((service) => [
    `database password of ${service}`,
    new URL(databaseUrl(service)).password,
  ]);
  const keys = serviceNames.map((service) => [`key of ${service}`, readServiceKey(dir, service).d ?? '']);
  const files = readdirSync(join(dir, 'keys')).filter((name) => name.endsWith('.key'));
  const symmetric = files.map((name) => [name, readFileSync(join(dir, 'keys', name), 'utf8').trim()]);
  return Object.fromEntries([...passwords, ...keys, ...symmetric]) as Secrets;
}

/** Texts that give a secret away: itself, the parts of a token, and its hashes. */
function tracesOf(secret: string): string[] {
  const [, claims, signature] = secret.split('.');
  const hashes = (['hex', 'base64', 'base64url'] as const).map((encoding) =>
    createHash('sha256').update(secret).digest(encoding),
  );
  const text = secret.replace(/\u0007$/, '').slice(0, 200);
  return [
    text,
    Buffer.from(text).toString('base64').replace(/=+$/, '').slice(0, -1),
    ...hashes,
    ...(signature ? [claims ?? '', signature] : []),
  ];
}

/** The names of the secrets that a text gives away. */
export function findSecrets(text: string, secrets: Secrets): string[] {
  return Object.entries(secrets).flatMap(([name, secret]) =>
    tracesOf(secret).some((trace) => text.includes(trace)) ? [name] : [],
  );
}

/** Everything that the processes of a cluster have written, with provisioning and migrations. */
export function readAllLogs({ dir }: Cluster): Record<string, string> {
  const folder = join(dir, 'logs');
  return Object.fromEntries(readdirSync(folder).map((name) => [name, readFileSync(join(folder, name), 'utf8')]));
}

export async function readAllMetrics(cluster: Cluster): Promise<string> {
  return (await Promise.all(serviceNames.map((service) => cluster.metrics(service)))).join('\n');
}

/** All that an answer says when it is an error: message, details, metadata. */
export function textOf({ error }: Answer): string {
  if (error === undefined) return '';
  const { metadata, details } = error.cause as { metadata?: { toJSON(): unknown }; details?: string };
  return [
    error.message,
    details,
    error.statusBytes?.toString('latin1'),
    JSON.stringify(metadata?.toJSON()),
    JSON.stringify(error.details),
  ].join('\n');
}
