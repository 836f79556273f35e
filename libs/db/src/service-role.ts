import { createHash, createHmac, pbkdf2Sync, randomBytes } from 'node:crypto';
import type { Client } from 'pg';
import { statementLogging } from './statement-logging.ts';

export interface ServiceRole {
  role: string;
  password: string;
}

/**
 * Creates the role if it is missing. Sets its password, the administrator's right to act for it, and what the server
 * logs of it.
 */
export async function ensureRole(
  admin: Client,
  { role, password }: ServiceRole,
  report: (line: string) => void,
): Promise<void> {
  const { rowCount } = await admin.query('select 1 from pg_roles where rolname = $1', [role]);
  const name = admin.escapeIdentifier(role);
  if (rowCount === 0) await admin.query(`create role ${name}`);
  await admin.query(`alter role ${name} with login password ${admin.escapeLiteral(passwordVerifier(password))}`);
  // An administrator who is no superuser must be a member of a role to create a database for it.
  const { rows } = await admin.query<{ isMember: boolean }>(`select pg_has_role($1, 'set') as "isMember"`, [role]);
  if (rows[0]?.isMember === false) await admin.query(`grant ${name} to current_user with set true, inherit true`);
  for (const line of await keepValuesOutOfLog(admin, role)) report(line);
}

const iterations = 4096;

/**
 * The verifier that PostgreSQL stores for a password (RFC 5803). It is sent in place of the password, which so stays
 * out of the statement and the log.
 */
export function passwordVerifier(password: string, salt: Buffer = randomBytes(16)): string {
  const salted = pbkdf2Sync(password, salt, iterations, 32, 'sha256');
  const keyFor = (text: string): Buffer => createHmac('sha256', salted).update(text).digest();
  const storedKey = createHash('sha256').update(keyFor('Client Key')).digest('base64');
  return `SCRAM-SHA-256$${iterations}:${salt.toString('base64')}$${storedKey}:${keyFor('Server Key').toString('base64')}`;
}

/** The settings that only a superuser may set, as lines for the administrator. */
async function keepValuesOutOfLog(admin: Client, role: string): Promise<string[]> {
  const { rows } = await admin.query<{ settings: string[] | null }>(
    'select setconfig as settings from pg_db_role_setting join pg_roles on pg_roles.oid = setrole where rolname = $1 and setdatabase = 0',
    [role],
  );
  const known = new Set(rows[0]?.settings ?? []);
  const lines: string[] = [];
  for (const [setting, { wanted }] of Object.entries(statementLogging)) {
    if (known.has(`${setting}=${wanted}`)) continue;
    const statement = `alter role ${admin.escapeIdentifier(role)} set ${setting} = ${wanted}`;
    try {
      await admin.query(statement);
    } catch (error) {
      if ((error as { code?: string }).code !== '42501') throw error;
      lines.push(`role ${role}: the server's log may show people's data until a superuser runs: ${statement}`);
    }
  }
  return lines;
}
