import type { Logger } from '#libs/runtime';
import type { SqlReader } from './reader.ts';

interface LogSetting {
  /** The settings that provisioning gives every role. */
  wanted: string;
  /** Other values that are as safe. */
  alsoGood?: readonly string[];
}

/**
 * The server's settings that keep people's data out of its log. Statements hold no values, but the server also logs
 * parameters, rows that violate a constraint, and values that are no number or date.
 */
export const statementLogging: Readonly<Record<string, LogSetting>> = {
  // Without DETAIL: "Key (email)=(…) already exists", "Failing row contains (…)".
  log_error_verbosity: { wanted: 'terse' },
  log_min_error_statement: { wanted: 'panic', alsoGood: ['fatal', 'log'] },
  log_parameter_max_length: { wanted: '0' },
  log_parameter_max_length_on_error: { wanted: '0' },
};

/** Its plans quote the parameters. */
const planLogging = 'auto_explain.log_min_duration';

const readSettings = {
  name: 'statement_logging',
  text: 'select setting_name as name, current_setting(setting_name, true) as value from unnest($1::text[]) as setting_name',
};

/** Warns once, naming the settings, when the server's log could show people's data. Never throws. */
export async function warnOfStatementLogging(reader: SqlReader, logger: Logger): Promise<void> {
  const names = [...Object.keys(statementLogging), planLogging];
  const rows = await reader.query<{ name: string; value: string | null }>(readSettings, [names]).catch(() => []);
  const settings = rows.filter(({ name, value }) => !isGood(name, value)).map(({ name }) => name);
  if (settings.length > 0)
    logger.warn(
      { settings },
      'the log of PostgreSQL may show people\'s data: see deploy/README.md, "The database\'s log"',
    );
}

function isGood(name: string, value: string | null): boolean {
  if (name === planLogging) return value === null || value === '' || value === '-1';
  const setting = statementLogging[name];
  return setting === undefined || [setting.wanted, ...(setting.alsoGood ?? [])].includes(value ?? '');
}
