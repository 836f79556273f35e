import { createSecretCipher, runReencryptCommand } from '#libs/db';
import { createLogger } from '#libs/runtime';
import { readConfig } from './config.ts';
import { databaseDefinition } from './db/database.ts';
import { sealedColumns, webhookSecretsPurpose } from './db/sealed-columns.ts';

await runReencryptCommand(() => {
  const { databaseUrl, previousDatabaseUrls, encryptionKeys, logLevel } = readConfig();
  return {
    definition: { ...databaseDefinition(databaseUrl), previousUrls: previousDatabaseUrls },
    cipher: createSecretCipher(encryptionKeys, webhookSecretsPurpose),
    columns: sealedColumns,
    setting: 'TASKFLOW_SCHEDULER_ENCRYPTION_KEY',
    logger: createLogger({ service: 'scheduler', level: logLevel }),
  };
});
