/** What PgBouncer in front of PostgreSQL needs; scaling.md says when, and what it costs. */
import { serviceNames } from '#libs/contract';
import { plannerSettings, sessionLimits } from '../../libs/db/src/orm.ts';
import { connectionsBehindPgBouncer, sharedConnections, type Size } from './sizes.ts';

/** Startup parameters that the services send, and that would otherwise keep every connection from opening. */
const ignored = [...Object.keys(sessionLimits), 'options'];

/** Settings for a size; whoever runs PgBouncer adds the server's address and how it authenticates. */
export function pgBouncerIni(name: string, size: Size): string {
  const { clients, maxConnections } = connectionsBehindPgBouncer(size);
  return [
    `; For the size ${name}. PostgreSQL needs max_connections of at least ${String(maxConnections)}.`,
    '[pgbouncer]',
    'pool_mode = transaction',
    '; Named statements; PgBouncer 1.21 or newer.',
    'max_prepared_statements = 500',
    '; roles.sql sets them instead.',
    `ignore_startup_parameters = ${ignored.join(', ')}`,
    '; Each service has a role and a database of its own.',
    `default_pool_size = ${String(sharedConnections)}`,
    '; All pods in a rolling update at full size, with room.',
    `max_client_conn = ${String(Math.ceil(clients / 100) * 100)}`,
    '',
  ].join('\n');
}

/** The settings that services ask for in their sessions, as settings of their roles, because PgBouncer ignores them. */
export function roleSettings(): string {
  const settings: [string, string | number][] = [...Object.entries(sessionLimits), ...Object.entries(plannerSettings)];
  const lines = serviceNames.flatMap((service) =>
    settings.map(([name, value]) => `alter role taskflow_${service} set ${name} = '${String(value)}';`),
  );
  return ['-- After provisioning, as the administrator; times are in milliseconds.', ...lines, ''].join('\n');
}
