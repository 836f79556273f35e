import { runReencryptCommand } from '#libs/db';
import { createLogger } from '#libs/runtime';
import { readConfig } from './config.ts';
import { databaseDefinition } from './db/database.ts';
import { sealedColumns } from './db/sealed-columns.ts';
import { createKeyCipher } from './security/key-cipher.ts';

await runReencryptCommand(() => {
  const { databaseUrl, previousDatabaseUrls, encryptionKeys, logLevel } = readConfig();
  return {
    definition: { ...databaseDefinition(databaseUrl), previousUrls: previousDatabaseUrls },
    cipher: createKeyCipher(encryptionKeys),
    columns: sealedColumns,
    setting: 'TASKFLOW_AUTH_ENCRYPTION_KEY',
    logger: createLogger({ service: 'auth', level: logLevel }),
  };
});
