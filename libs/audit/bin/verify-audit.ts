// Verifies the audit logs of the databases whose settings are given, and prints what is wrong with each. Ends with 1
// when anything is.
import { Client } from 'pg';
import { serviceNames, type ServiceName } from '#libs/contract';
import { rowTypes, type SqlReader } from '#libs/db';
import { ConfigError, readDatabaseUrl } from '#libs/runtime';
import { verifyAuditLog } from '../src/verify.ts';

const say = (line: string): void => void process.stdout.write(`${line}\n`);
const isGiven = (service: ServiceName): boolean =>
  ['', '_FILE'].some((suffix) => process.env[`TASKFLOW_${service.toUpperCase()}_DATABASE_URL${suffix}`] !== undefined);

async function verify(service: ServiceName): Promise<boolean> {
  const client = new Client({ connectionString: readDatabaseUrl(service), application_name: 'taskflow verify-audit' });
  await client.connect();
  try {
    // One snapshot, so that nothing is appended between the chain and its head.
    await client.query('begin isolation level repeatable read read only');
    const { findings, count, head } = await verifyAuditLog(readerOf(client));
    for (const finding of findings) say(`${service}: ${finding}`);
    say(`${service}: ${count} events, ${findings.length} findings, head ${head.position} ${head.hash.toString('hex')}`);
    return findings.length === 0;
  } finally {
    await client.end();
  }
}

function readerOf(client: Client): SqlReader {
  return {
    query: async <Row>({ text }: { text: string }, values: unknown[]) =>
      (await client.query({ text, values, types: rowTypes })).rows as Row[],
  };
}

const given = serviceNames.filter(isGiven);
if (given.length === 0) say('no database: set TASKFLOW_AUTH_DATABASE_URL or that of another service');
const outcomes = [given.length > 0];
for (const service of given) {
  try {
    outcomes.push(await verify(service));
  } catch (error) {
    outcomes.push(false);
    say(
      `${service}: could not be verified: ${error instanceof ConfigError ? error.faults.join('; ') : (error as Error).message}`,
    );
  }
}
process.exitCode = outcomes.every(Boolean) ? 0 : 1;
