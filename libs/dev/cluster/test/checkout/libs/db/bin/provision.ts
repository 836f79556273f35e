import { Client } from 'pg';

const admin = new Client({ connectionString: process.env['TASKFLOW_ADMIN_DATABASE_URL'] });
await admin.connect();
for (const service of ['AUTH', 'USERS', 'TASKS', 'SCHEDULER']) {
  const { username, password, pathname } = new URL(process.env[`TASKFLOW_${service}_DATABASE_URL`] ?? '');
  const { rowCount } = await admin.query('SELECT 1 FROM pg_roles WHERE rolname = $1', [username]);
  if (rowCount === 0) {
    await admin.query(`CREATE ROLE ${username} LOGIN PASSWORD '${password}'`);
    await admin.query(`CREATE DATABASE ${pathname.slice(1)} OWNER ${username}`);
  }
}
await admin.end();
