import { createAuditLog } from '#libs/audit';
import { openDatabase, uuidv7, type Database } from '#libs/db';
import { AppError } from '#libs/errors';
import { ConfigError, createLogger } from '#libs/runtime';
import { normaliseEmail } from '#libs/text';
import { readConfig } from './config.ts';
import { createAccountRepository } from './db/account.repository.ts';
import { createAccountTokenRepository } from './db/account-token.repository.ts';
import { createAuthReader } from './db/auth.reader.ts';
import { databaseDefinition } from './db/database.ts';
import { createOneTimeTokens } from './security/one-time-tokens.ts';
import { createOperatorsReset, type OperatorsReset } from './use-cases/create-operators-reset.ts';

const usage = `usage: admin reset-password EMAIL`;
const usageStatus = 64;

// Standard output is for the token alone, so that it can be handed on.
const say = (text: string): void => void process.stderr.write(`${text}\n`);
const logger = createLogger({ service: 'auth', level: 'info', destination: { write: (line) => say(line.trimEnd()) } });

let database: Database | undefined;

async function makeReset(email: string): Promise<OperatorsReset | undefined> {
  const { databaseUrl, previousDatabaseUrls, encryptionKeys, administrator, recovery } = readConfig();
  const definition = { ...databaseDefinition(databaseUrl), previousUrls: previousDatabaseUrls };
  database = await openDatabase({ ...definition, poolSize: 1, logger, applicationName: 'taskflow admin' });
  // A running service chains what is added here.
  const audit = createAuditLog({ service: 'auth', database, logger, retentionMs: Infinity });
  const uow = database.unitOfWork((em) => ({
    audit: audit.trailOf(em),
    accounts: createAccountRepository(em),
    accountTokens: createAccountTokenRepository(em),
  }));
  const needs = {
    uow,
    reader: createAuthReader(database.reader),
    oneTimeTokens: createOneTimeTokens(encryptionKeys),
    clock: { now: () => new Date() },
    newId: uuidv7,
    settings: { recovery },
  };
  return createOperatorsReset(needs, { email: normaliseEmail(email), administratorEmail: administrator?.email });
}

/** Returns the exit status. */
async function resetPassword(email: string): Promise<number> {
  const reset = await makeReset(email);
  if (reset === undefined) {
    say('no account has this e-mail; auth makes that of the configured administrator when it starts');
    return 1;
  }
  const { token, expireTime, restoresAdministrator } = reset;
  say(`AuthService.ResetPassword sets a new password with this token, once, until ${expireTime.toISOString()}:`);
  if (restoresAdministrator) say('it also makes the account the enabled administrator that is configured');
  process.stdout.write(`${token}\n`);
  return 0;
}

function explain(error: unknown): void {
  if (error instanceof ConfigError) logger.error({ faults: error.faults }, 'the configuration is not usable');
  else if (error instanceof AppError) say(`${error.message} (${error.reason})`);
  else logger.error({ err: error }, 'the command failed');
}

const [command, email, ...more] = process.argv.slice(2);
if (command !== 'reset-password' || email === undefined || more.length > 0) {
  say(usage);
  process.exitCode = usageStatus;
} else {
  try {
    process.exitCode = await resetPassword(email);
  } catch (error) {
    explain(error);
    process.exitCode = 1;
  } finally {
    await database?.close();
  }
}
